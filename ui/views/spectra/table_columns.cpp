#include "ui/views/spectra/table_columns.h"

#include <algorithm>
#include <array>
#include <span>

namespace vitrine::ui::spectra {
namespace {

constexpr double kLeastName = 126;

// In the order in which they are given room; `place` is where they stand. Another metric comes before the
// sparkline.
struct WantedColumn {
  std::optional<Metric> metric;
  double width = 0;
  int place = 0;
};
constexpr int kExtraPlace = 8, kSparkPlace = 9;
constexpr std::array<WantedColumn, 6> kWeightColumns = {{{Metric::kStableRank, 86, 2},
                                                         {Metric::kSigma1, 56, 1},
                                                         {Metric::kAlpha, 46, 4},
                                                         {Metric::kEffectiveRank, 70, 3},
                                                         {std::nullopt, 72, kSparkPlace},
                                                         {Metric::kShape, 84, 0}}};
constexpr std::array<WantedColumn, 6> kProductColumns = {{{Metric::kStableRank, 86, 3},
                                                          {Metric::kNuclear, 66, 2},
                                                          {Metric::kSigma1, 56, 1},
                                                          {Metric::kEffectiveRank, 70, 4},
                                                          {std::nullopt, 72, kSparkPlace},
                                                          {Metric::kParticipation, 92, 5}}};
constexpr std::array<WantedColumn, 6> kComparisonColumns = {{{Metric::kChange, 78, 1},
                                                             {Metric::kIntruders, 66, 2},
                                                             {Metric::kPhi, 56, 3},
                                                             {Metric::kAdapterRank, 72, 5},
                                                             {Metric::kDiagonal, 62, 4},
                                                             {Metric::kShape, 84, 0}}};

std::span<const WantedColumn> wantedColumns(Subject subject) {
  if (subject == Subject::kComparison) return kComparisonColumns;
  if (isProduct(subject)) return kProductColumns;
  return kWeightColumns;
}

}  // namespace

std::vector<TableColumn> tableColumns(const Rect& area, Metric sorted_by, Subject subject, bool adapters) {
  double left = area.width() - kTablePad - kLeastName - kTablePad;
  std::vector<WantedColumn> chosen;
  const auto wanted = wantedColumns(subject);
  if (isNumber(sorted_by) &&
      std::ranges::find(wanted, std::optional(sorted_by), &WantedColumn::metric) == wanted.end()) {
    chosen.push_back({sorted_by, 96, kExtraPlace});
    left -= 96;
  }
  for (const WantedColumn& column : wanted) {
    if (column.metric == Metric::kAdapterRank && !adapters) continue;
    if (column.width > left && column.metric != sorted_by) continue;
    left -= column.width;
    chosen.push_back(column);
  }
  std::ranges::stable_sort(chosen, {}, &WantedColumn::place);
  const double named = area.x0 + kTablePad + kLeastName + std::max(0.0, left);
  std::vector<TableColumn> columns{{Metric::kName, area.x0 + kTablePad, named}};
  for (const WantedColumn& column : chosen) {
    const double x = columns.back().x1;
    columns.push_back({column.metric, x, x + column.width});
  }
  return columns;
}

}  // namespace vitrine::ui::spectra
