#include "core/spectra/model_comparison.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "core/model/linears.h"
#include "core/spectra/linear_matrix.h"
#include "core/spectra/low_rank_product.h"
#include "core/spectra/matrix_catalogue.h"
#include "core/spectra/metrics.h"
#include "core/spectra/parallel.h"

namespace vitrine::core {
namespace {

using Eigen::MatrixXd;

Result<TunedMatrix> loadStored(const StoredMatrix& base, const StoredMatrix& tuned) {
  TRY_ASSIGN(const DenseMatrix before, readMatrix(base));
  TRY_ASSIGN(const DenseMatrix after, readMatrix(tuned));
  return TunedMatrix{.base = toDouble(before), .tuned = toDouble(after)};
}

Result<TunedMatrix> loadAdapted(const Linear& linear) {
  TunedMatrix matrix;
  TRY_ASSIGN(matrix.base, expandBase(linear.weight));
  TRY_ASSIGN(matrix.tuned, expandLinear(linear));
  TRY_ASSIGN(matrix.adapter, adapterRank(linear));
  return matrix;
}

std::map<std::string, StoredMatrix> byName(const Checkpoint& checkpoint, std::string_view glob) {
  std::map<std::string, StoredMatrix> found;
  for (StoredMatrix& matrix : matricesOf(checkpoint, glob)) found.emplace(matrix.name, matrix);
  return found;
}

}  // namespace

MatrixPairs pairsOf(std::shared_ptr<const Checkpoint> base, std::shared_ptr<const Checkpoint> tuned,
                    std::string_view glob) {
  MatrixPairs found;
  std::map<std::string, StoredMatrix> others = byName(*tuned, glob);
  for (const StoredMatrix& before : matricesOf(*base, glob)) {
    const auto other = others.find(before.name);
    if (other == others.end()) {
      found.left_out.push_back(fmt::format("{} is in the base only", before.name));
      continue;
    }
    const StoredMatrix after = other->second;
    others.erase(other);
    if (after.rows != before.rows || after.columns != before.columns)
      found.left_out.push_back(fmt::format("{} is {} x {} in the base, {} x {} in the fine-tune", before.name,
                                           before.rows, before.columns, after.rows, after.columns));
    else
      found.pairs.push_back({before.name, before.rows, before.columns,
                             [base, tuned, before, after] { return loadStored(before, after); },
                             placeOf(after)});
  }
  for (const auto& [name, matrix] : others)
    found.left_out.push_back(fmt::format("{} is in the fine-tune only", name));
  return found;
}

MatrixPairs pairsOf(std::shared_ptr<ModelSpec> adapted, std::string_view glob) {
  MatrixPairs found;
  std::map<std::string, int> readers;
  forEachLinear(*adapted, [&](Linear& linear) {
    if (linear.weight) ++readers[linear.weight.tensor->name];
  });
  forEachLinear(*adapted, [&](Linear& linear) {
    if (linear.updates.empty()) return;
    std::string name = linear.weight.tensor->name;
    if (readers[name] > 1)
      name += fmt::format("[{}]",
                          linear.weight.transposed ? linear.weight.first_column : linear.weight.first_row);
    if (matchesAnyGlob(name, glob))
      found.pairs.push_back({std::move(name), linear.weight.rows, linear.weight.columns,
                             [adapted, &linear] { return loadAdapted(linear); }, linear.weight});
  });
  std::ranges::sort(found.pairs, naturallyLess, &MatrixPair::name);
  return found;
}

Result<std::optional<AdapterRank>> adapterRank(const Linear& linear) {
  if (linear.updates.empty()) return std::optional<AdapterRank>();
  AdapterRank rank;
  for (const LowRankUpdate& update : linear.updates) rank.nominal += update.a.rows;
  const auto nominal = static_cast<Eigen::Index>(rank.nominal);
  LowRankProduct sum{MatrixXd(linear.weight.rows, nominal), MatrixXd(nominal, linear.weight.columns)};
  Eigen::Index at = 0;
  for (const LowRankUpdate& update : linear.updates) {
    TRY_ASSIGN(const MatrixXd a, expandBase(update.a));
    TRY_ASSIGN(const MatrixXd b, expandBase(update.b));
    sum.left.middleCols(at, b.cols()) = double{update.scale} * update.factor * b;
    sum.right.middleRows(at, a.rows()) = a;
    at += a.rows();
  }
  TRY_ASSIGN(const Spectrum spectrum, productSpectrum(sum));
  const SpectrumMetrics metrics = spectrumMetrics(spectrum.sigma, spectrum.floor);
  rank.rank = metrics.rank;
  rank.stable = metrics.stable_rank;
  rank.effective = metrics.effective_rank;
  rank.sigma = spectrum.sigma;
  return rank;
}

Result<MatrixComparison> comparePair(const MatrixPair& pair, const ComparisonOptions& options) {
  auto matrix = pair.load();
  if (!matrix) return tl::unexpected(matrix.error());
  auto comparison = compareMatrices(matrix->base, matrix->tuned, options);
  if (!comparison) return within(pair.name, comparison.error());
  comparison->name = pair.name;
  comparison->adapter = std::move(matrix->adapter);
  return comparison;
}

Result<std::vector<MatrixComparison>> runComparisons(std::span<const MatrixPair> pairs,
                                                     const ComparisonRun& run) {
  std::vector<MatrixComparison> all(pairs.size());
  std::optional<Error> error;
  std::mutex reporting;
  std::size_t done = 0;
  TRY(runParallel(pairs.size(), run.threads, run.stop, [&](std::size_t i) {
    auto comparison = comparePair(pairs[i], run.options);
    const std::lock_guard lock(reporting);
    if (!comparison && !error) error = comparison.error();
    if (comparison) all[i] = std::move(*comparison);
    if (run.progress) run.progress(++done);
  }));
  if (error) return tl::unexpected(*error);
  return all;
}

}  // namespace vitrine::core
