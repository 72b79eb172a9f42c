#include "ui/views/spectra/metric.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>

#include "core/spectra/matrix_catalogue.h"
#include "ui/views/panel.h"

namespace vitrine::ui::spectra {
namespace {

struct MetricText {
  Metric metric;
  std::string_view name, heading, formula;
};

constexpr std::array kMetricTexts = {
    MetricText{Metric::kName, "tensor", "tensor", "The model's order"},
    MetricText{Metric::kShape, "size", "shape", "rows × columns; sorted by their product"},
    MetricText{Metric::kSigma1, "σ₁", "σ₁", "The largest singular value: the spectral norm"},
    MetricText{Metric::kStableRank, "stable rank", "stable rank",
               "Σσ² / σ₁²: how many directions as strong as the first"},
    MetricText{Metric::kEffectiveRank, "effective rank", "eff. rank",
               "exp(−Σ p ln p), p = σ / Σσ (Roy and Vetterli)"},
    MetricText{Metric::kAlpha, "α", "α",
               "Exponent of a power law's tail of σ², by maximum likelihood (Clauset et al.)"},
    MetricText{Metric::kParticipation, "participation", "participation", "(Σσ²)² / Σσ⁴"},
    MetricText{Metric::kEnergyRank90, "energy rank 90 %", "rank 90 %",
               "The least k whose first k values hold 90 % of Σσ²"},
    MetricText{Metric::kEnergyRank99, "energy rank 99 %", "rank 99 %",
               "The least k whose first k values hold 99 % of Σσ²"},
    MetricText{Metric::kFrobenius, "Frobenius norm", "Frobenius", "√Σσ²"},
    MetricText{Metric::kNuclear, "nuclear norm", "nuclear", "Σσ"},
    MetricText{Metric::kCondition, "condition", "condition",
               "σ₁ / σₙ; ≥: σₙ is no larger than what can be told from 0"},
    MetricText{Metric::kSpikes, "spikes", "spikes",
               "Values beyond the edge of Marchenko and Pastur's law of noise"},
    MetricText{Metric::kChange, "|ΔW| / |W|", "|ΔW| / |W|", "The change's Frobenius norm over the base's"},
    MetricText{Metric::kIntruders, "intruders", "intruders",
               "Of the first k left singular vectors of the fine-tune those with max |u₀ᵢ·u₁ⱼ| < ε"},
    MetricText{Metric::kPhi, "φ(k, k)", "φ(k, k)",
               "‖U₀ᵀU₁‖² / k of the first k directions of both; 1: the same subspace"},
    MetricText{Metric::kAngle, "largest angle", "angle",
               "Radians; the largest principal angle between the first 10 directions"},
    MetricText{Metric::kDiagonal, "diagonal share", "diagonal",
               "Of ‖ΔW‖² on the diagonal of U₀ᵀΔW V₀: what only stretches the base's directions"},
    MetricText{Metric::kBand, "band share", "band", "Of ‖ΔW‖² within |i − j| ≤ r / 20 of U₀ᵀΔW V₀"},
    MetricText{Metric::kCorner, "corner share", "corner",
               "Of ‖ΔW‖² between the strongest r / 10 directions of the base"},
    MetricText{Metric::kChangeStableRank, "stable rank of ΔW", "ΔW st. rank", "Σσ² / σ₁² of the change"},
    MetricText{Metric::kAdapterRank, "adapter rank", "rank of r",
               "exp of the entropy of B A's singular values, of the nominal rank r"},
};

constexpr std::array kOfWeights = {Metric::kName,          Metric::kShape,         Metric::kSigma1,
                                   Metric::kStableRank,    Metric::kEffectiveRank, Metric::kAlpha,
                                   Metric::kParticipation, Metric::kEnergyRank90,  Metric::kEnergyRank99,
                                   Metric::kFrobenius,     Metric::kNuclear,       Metric::kCondition,
                                   Metric::kSpikes};
// Nothing is fitted to products: those of noise follow another law.
constexpr std::array kOfProducts = {Metric::kName,         Metric::kSigma1,        Metric::kNuclear,
                                    Metric::kStableRank,   Metric::kEffectiveRank, Metric::kParticipation,
                                    Metric::kEnergyRank90, Metric::kEnergyRank99,  Metric::kFrobenius,
                                    Metric::kCondition};
constexpr std::array kOfComparisons = {
    Metric::kName,       Metric::kShape,    Metric::kChange, Metric::kIntruders, Metric::kPhi,
    Metric::kAngle,      Metric::kDiagonal, Metric::kBand,   Metric::kCorner,    Metric::kChangeStableRank,
    Metric::kAdapterRank};

const MetricText& metricText(Metric metric) {
  return *std::ranges::find(kMetricTexts, metric, &MetricText::metric);
}

std::string threeDigits(double value) {
  return value >= 1 && value < 10 ? fmt::format("{:.2f}", value) : number(value);
}

std::string normText(double value) {
  return value >= 1 && value < 1000 ? fmt::format("{:.2f}", value) : number(value);
}

// What is typed may stand anywhere in a name.
std::string anywhere(const std::string& globs) {
  std::string all, word;
  const auto end = [&] {
    if (!word.empty()) all += fmt::format(" *{}*", word);
    word.clear();
  };
  for (const char c : globs) c == ' ' || c == ',' ? end() : word.push_back(c);
  end();
  return all;
}

double sortValue(const core::SpectraSnapshot& snapshot, std::size_t index, Metric by, IntruderRule rule) {
  if (by == Metric::kShape) {
    const core::MatrixName& matrix = (*snapshot.matrices)[index];
    return double(matrix.rows) * double(matrix.columns);
  }
  return valueOf(snapshot.results[index], by, rule);
}

}  // namespace

std::span<const Metric> metricsOf(Subject subject) {
  if (subject == Subject::kComparison) return kOfComparisons;
  if (isProduct(subject)) return kOfProducts;
  return kOfWeights;
}
std::string_view name(Metric metric) {
  return metricText(metric).name;
}
std::string_view heading(Metric metric) {
  return metricText(metric).heading;
}
std::string_view formula(Metric metric) {
  return metricText(metric).formula;
}

double valueOf(const core::SpectrumReport& report, Metric metric) {
  const core::SpectrumMetrics& m = report.metrics;
  switch (metric) {
    case Metric::kSigma1:
      return m.s1;
    case Metric::kStableRank:
      return m.stable_rank;
    case Metric::kEffectiveRank:
      return m.effective_rank;
    case Metric::kAlpha:
      return report.power_law ? report.power_law->alpha : std::nan("");
    case Metric::kParticipation:
      return m.participation;
    case Metric::kEnergyRank90:
      return double(m.energy_rank[0]);
    case Metric::kEnergyRank99:
      return double(m.energy_rank[2]);
    case Metric::kFrobenius:
      return m.frobenius;
    case Metric::kNuclear:
      return m.nuclear;
    case Metric::kCondition:
      return m.condition;
    case Metric::kSpikes:
      return report.noise ? double(report.noise->spikes) : std::nan("");
    default:
      break;
  }
  return std::nan("");
}

double valueOf(const core::SpectrumPreview& preview, Metric metric) {
  switch (metric) {
    case Metric::kSigma1:
      return preview.sigma.empty() ? std::nan("") : preview.sigma.front();
    case Metric::kStableRank:
      return preview.stableRank();
    case Metric::kFrobenius:
      return preview.frobenius;
    default:
      return std::nan("");
  }
}

std::string textOf(const core::SpectrumPreview& preview, Metric metric) {
  const double value = valueOf(preview, metric);
  if (std::isnan(value)) return "–";
  if (metric == Metric::kStableRank) return "≤ " + threeDigits(value);
  return (metric == Metric::kSigma1 ? "≥ " : "") + normText(value);
}

std::string textOf(const core::SpectrumReport& report, Metric metric) {
  const double value = valueOf(report, metric);
  switch (metric) {
    case Metric::kEnergyRank90:
    case Metric::kEnergyRank99:
    case Metric::kSpikes:
      return std::isnan(value) ? "–" : fmt::format("{:.0f}", value);
    case Metric::kAlpha:
      return std::isnan(value) ? "–" : fmt::format("{:.2f}", value);
    case Metric::kCondition: {
      const std::string text = std::isinf(value) ? "∞"
                               : value < 1e4     ? number(value)
                                                 : fmt::format("{:.2e}", value);
      return report.metrics.condition_is_bound ? "≥ " + text : text;
    }
    case Metric::kSigma1:
    case Metric::kFrobenius:
      return normText(value);
    default:
      return threeDigits(value);
  }
}

std::string previewText(const core::SpectrumPreview& preview, bool running) {
  const double off = preview.residuals.empty() ? 0 : std::ranges::max(preview.residuals);
  return fmt::format("preview: first {} of {} values, ± {:.2g}{}", preview.sigma.size(), preview.all(), off,
                     running ? "; exact values follow" : "");
}

std::vector<std::size_t> orderOf(const core::SpectraSnapshot& snapshot, const std::string& glob,
                                 Sorting sorting, IntruderRule rule) {
  std::vector<std::size_t> order;
  const std::string globs = anywhere(glob);
  for (std::size_t i = 0; i < snapshot.total(); ++i)
    if (core::matchesAnyGlob((*snapshot.matrices)[i].name, globs)) order.push_back(i);
  if (sorting.by == Metric::kName) {
    if (sorting.descending) std::ranges::reverse(order);
    return order;
  }
  std::vector<double> values(snapshot.total());
  for (const std::size_t i : order) values[i] = sortValue(snapshot, i, sorting.by, rule);
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    if (std::isnan(values[a]) || std::isnan(values[b]))
      return !std::isnan(values[a]) && std::isnan(values[b]);
    return sorting.descending ? values[a] > values[b] : values[a] < values[b];
  });
  return order;
}

}  // namespace vitrine::ui::spectra
