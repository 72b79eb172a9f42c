// The numbers of a fine-tune against its base, and of either kind of result.
#include <algorithm>
#include <cmath>

#include "ui/views/panel.h"
#include "ui/views/spectra/metric.h"

namespace vitrine::ui::spectra {
namespace {

std::string percent(double share) {
  return fmt::format("{:.{}f} %", 100 * share, share < 0.0995 ? 1 : 0);
}

}  // namespace

double valueOf(const core::MatrixComparison& comparison, Metric metric, IntruderRule rule) {
  switch (metric) {
    case Metric::kChange:
      return comparison.base_norm > 0 ? comparison.change_norm / comparison.base_norm : std::nan("");
    case Metric::kIntruders:
      return core::intrudersAt(comparison, rule.first, rule.epsilon);
    case Metric::kPhi: {
      const auto k = std::min(Eigen::Index(rule.first), comparison.phi.rows());
      return k > 0 ? comparison.phi(k - 1, k - 1) : std::nan("");
    }
    case Metric::kAngle:
      return comparison.angles.empty() ? std::nan("") : comparison.angles.back();
    case Metric::kDiagonal:
      return comparison.change.diagonal_share;
    case Metric::kBand:
      return comparison.change.band_share;
    case Metric::kCorner:
      return comparison.change.corner_share;
    case Metric::kChangeStableRank:
      return comparison.change_stable_rank;
    case Metric::kAdapterRank:
      return comparison.adapter ? comparison.adapter->effective : std::nan("");
    default:
      return std::nan("");
  }
}

std::string textOf(const core::MatrixComparison& comparison, Metric metric, IntruderRule rule) {
  const double value = valueOf(comparison, metric, rule);
  if (std::isnan(value)) return "–";
  switch (metric) {
    case Metric::kIntruders:
      return fmt::format("{:.0f}", value);
    case Metric::kPhi:
    case Metric::kAngle:
      return fmt::format("{:.3f}", value);
    case Metric::kDiagonal:
    case Metric::kBand:
    case Metric::kCorner:
      return percent(value);
    case Metric::kAdapterRank:
      return fmt::format("{:.1f} of {}", value, comparison.adapter->nominal);
    default:
      return value >= 1 && value < 10 ? fmt::format("{:.2f}", value) : number(value);
  }
}

double valueOf(const core::MatrixResult& result, Metric metric, IntruderRule rule) {
  if (result.preview) return valueOf(*result.preview, metric);
  if (!result.report) return std::nan("");
  return metric >= Metric::kChange
             ? result.compared ? valueOf(result.compared->comparison, metric, rule) : std::nan("")
             : valueOf(*result.report, metric);
}

std::string textOf(const core::MatrixResult& result, Metric metric, IntruderRule rule) {
  if (result.preview) return textOf(*result.preview, metric);
  if (!result.report) return "–";
  if (metric < Metric::kChange) return textOf(*result.report, metric);
  return result.compared ? textOf(result.compared->comparison, metric, rule) : "–";
}

}  // namespace vitrine::ui::spectra
