// A number of all matrices over the layers, a series for each kind of matrix. Pure arithmetic, no drawing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/figure/spectra_figures.h"
#include "ui/views/spectra/matrix_place.h"
#include "ui/views/spectra/metric.h"
#include "ui/views/spectra/series_selection.h"

namespace vitrine::ui::spectra {

inline constexpr std::size_t kMostKinds = 8;

struct ProfilePoint {
  std::uint32_t layer = 0;
  std::size_t matrix = 0;
  double value = 0;
  bool preview = false;  // not exact yet
};
struct ProfileSeries {
  std::string kind;
  std::size_t number = 0;            // of its colour and marker, below kMostKinds
  std::vector<ProfilePoint> points;  // by layer; a layer may have several (experts, heads)
};
std::vector<core::LayerValue> valuesOf(const ProfileSeries& series);
std::vector<core::LayerValue> exactValuesOf(const ProfileSeries& series);

struct LayerProfile {
  std::vector<ProfileSeries> series;
  std::vector<std::string> left_out;  // kinds beyond kMostKinds
  std::uint32_t first_layer = 0, last_layer = 0;
  double low = 0, high = 0;  // of the values
  bool empty() const { return series.empty(); }
};

// Of the matrices in `shown` (those of the filter) that have the number. The kinds of selected matrices come
// first, in their colours; then the others as the model has them.
LayerProfile profileOf(const core::SpectraSnapshot& snapshot, std::span<const MatrixPlace> places,
                       std::span<const std::size_t> shown, const SeriesSelection& selection, Metric metric,
                       IntruderRule rule = {});

}  // namespace vitrine::ui::spectra
