#include "core/figure/head_metrics.h"

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

namespace vitrine::core {
namespace {

constexpr std::size_t kLocalKeys = 8;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct MetricText {
  HeadMetric metric;
  std::string_view name, label, unit;
};

constexpr std::array<MetricText, 5> kMetrics = {{
    {HeadMetric::kEntropy, "entropy", "mean entropy", "bit"},
    {HeadMetric::kFirstMass, "first-token", "first-token mass", ""},
    {HeadMetric::kLocalMass, "last-8", "last-8-token mass", ""},
    {HeadMetric::kPrevious, "previous-token", "previous-token score", ""},
    {HeadMetric::kInduction, "induction", "induction score", ""},
}};

const MetricText& textOf(HeadMetric metric) {
  return kMetrics[static_cast<std::size_t>(metric)];
}

double shown(float probability) {
  return probability > 0 ? probability : 0;
}  // masked and NaN count nothing

double entropyOf(std::span<const float> row) {
  double entropy = 0, mass = 0;
  for (float p : row) {
    if (!(p > 0)) continue;
    entropy -= p * std::log2(static_cast<double>(p));
    mass += p;
  }
  return mass > 0 ? std::max(0.0, entropy) : kNaN;
}

double localMass(std::span<const float> row, std::size_t query) {
  double mass = 0;
  for (std::size_t key = query + 1 >= kLocalKeys ? query + 1 - kLocalKeys : 0; key <= query; ++key)
    mass += shown(row[key]);
  return mass;
}

double inductionScore(const AttentionMatrix& attention, std::span<const std::int64_t> ids) {
  if (ids.size() != attention.tokens) return kNaN;
  std::unordered_map<std::int64_t, std::vector<std::size_t>> seen;
  double sum = 0;
  std::size_t queries = 0;
  for (std::size_t query = 0; query < attention.tokens; ++query) {
    std::vector<std::size_t>& places = seen[ids[query]];
    bool counted = false;
    for (std::size_t place : places) {
      if (place + 1 >= query) continue;  // the token after it is the query itself
      sum += shown(attention.row(query)[place + 1]);
      counted = true;
    }
    queries += counted;
    places.push_back(query);
  }
  return queries > 0 ? sum / static_cast<double>(queries) : kNaN;
}

}  // namespace

std::span<const HeadMetric> headMetrics() {
  static constexpr std::array kAll = {HeadMetric::kEntropy, HeadMetric::kFirstMass, HeadMetric::kLocalMass,
                                      HeadMetric::kPrevious, HeadMetric::kInduction};
  return kAll;
}

std::string_view headMetricName(HeadMetric metric) {
  return textOf(metric).name;
}
std::string_view headMetricLabel(HeadMetric metric) {
  return textOf(metric).label;
}
std::string_view headMetricUnit(HeadMetric metric) {
  return textOf(metric).unit;
}

Result<HeadMetric> findHeadMetric(std::string_view name) {
  std::string known;
  for (const MetricText& text : kMetrics) {
    if (text.name == name) return text.metric;
    known += (known.empty() ? "" : ", ") + std::string(text.name);
  }
  return fail(ErrorCode::kInvalidArgument, "head metric \"{}\" does not exist; choose one of {}", name,
              known);
}

double HeadMetrics::value(HeadMetric metric) const {
  switch (metric) {
    case HeadMetric::kEntropy:
      return entropy;
    case HeadMetric::kFirstMass:
      return first_mass;
    case HeadMetric::kLocalMass:
      return local_mass;
    case HeadMetric::kPrevious:
      return previous;
    case HeadMetric::kInduction:
      return induction;
  }
  VITRINE_ASSERT(!"unknown metric");
}

HeadMetrics measureHead(const AttentionMatrix& attention, std::span<const std::int64_t> ids) {
  HeadMetrics sum;
  auto queries = static_cast<double>(attention.tokens);
  if (attention.tokens == 0) return {kNaN, kNaN, kNaN, kNaN, kNaN};
  for (std::size_t query = 0; query < attention.tokens; ++query) {
    std::span<const float> row = attention.row(query);
    sum.entropy += entropyOf(row);
    sum.first_mass += shown(row[0]);
    sum.local_mass += localMass(row, query);
    if (query > 0) sum.previous += shown(row[query - 1]);
  }
  return {sum.entropy / queries, sum.first_mass / queries, sum.local_mass / queries, sum.previous / queries,
          inductionScore(attention, ids)};
}

std::vector<float> rowEntropies(const AttentionMatrix& attention) {
  std::vector<float> entropies;
  for (std::size_t query = 0; query < attention.tokens; ++query)
    entropies.push_back(static_cast<float>(entropyOf(attention.row(query))));
  return entropies;
}

std::vector<float> meanReceived(const AttentionMatrix& attention) {
  std::vector<double> sums(attention.tokens, 0);
  std::vector<std::size_t> queries(attention.tokens, 0);
  for (std::size_t query = 0; query < attention.tokens; ++query) {
    std::span<const float> row = attention.row(query);
    for (std::size_t key = 0; key < attention.tokens; ++key) {
      if (!(row[key] >= 0)) continue;
      sums[key] += row[key];
      ++queries[key];
    }
  }
  std::vector<float> means;
  for (std::size_t key = 0; key < attention.tokens; ++key)
    means.push_back(
        static_cast<float>(queries[key] > 0 ? sums[key] / static_cast<double>(queries[key]) : kNaN));
  return means;
}

}  // namespace vitrine::core
