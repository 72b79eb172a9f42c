#include "ui/views/spectra/layer_profile.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace vitrine::ui::spectra {
namespace {

// The kinds of the selected matrices keep their colours, the others take what is left.
std::map<std::string, std::size_t> kindNumbers(std::span<const MatrixPlace> places,
                                               const SeriesSelection& selection,
                                               std::span<const std::string> kinds) {
  std::map<std::string, std::size_t> numbers;
  std::vector<bool> taken(kMostKinds);
  const auto take = [&](const std::string& kind, std::size_t number) {
    if (taken[number] || !numbers.emplace(kind, number).second) return;
    taken[number] = true;
  };
  for (const Series& series : selection.series())
    if (series.matrix < places.size() && places[series.matrix].layer)
      take(places[series.matrix].kind, series.number);
  for (const std::string& kind : kinds)
    for (std::size_t number = 0; number < kMostKinds && !numbers.contains(kind); ++number) take(kind, number);
  return numbers;
}

}  // namespace

std::vector<core::LayerValue> valuesOf(const ProfileSeries& series) {
  std::vector<core::LayerValue> values;
  for (const ProfilePoint& point : series.points) values.push_back({point.layer, point.value});
  return values;
}

std::vector<core::LayerValue> exactValuesOf(const ProfileSeries& series) {
  std::vector<core::LayerValue> values;
  for (const ProfilePoint& point : series.points)
    if (!point.preview) values.push_back({point.layer, point.value});
  return values;
}

LayerProfile profileOf(const core::SpectraSnapshot& snapshot, std::span<const MatrixPlace> places,
                       std::span<const std::size_t> shown, const SeriesSelection& selection, Metric metric,
                       IntruderRule rule) {
  std::vector<std::size_t> indices(shown.begin(), shown.end());
  std::ranges::sort(indices);
  std::vector<std::string> kinds;
  std::map<std::string, std::vector<ProfilePoint>> points;
  for (const std::size_t i : indices) {
    if (!places[i].layer) continue;
    const double value = valueOf(snapshot.results[i], metric, rule);
    if (!std::isfinite(value)) continue;
    if (!points.contains(places[i].kind)) kinds.push_back(places[i].kind);
    points[places[i].kind].push_back({*places[i].layer, i, value, snapshot.results[i].preview != nullptr});
  }
  const auto numbers = kindNumbers(places, selection, kinds);
  LayerProfile profile{.first_layer = UINT32_MAX, .low = HUGE_VAL, .high = -HUGE_VAL};
  for (const std::string& kind : kinds) {
    const auto number = numbers.find(kind);
    if (number == numbers.end()) {
      profile.left_out.push_back(kind);
      continue;
    }
    ProfileSeries series{kind, number->second, std::move(points[kind])};
    std::ranges::stable_sort(series.points, {}, &ProfilePoint::layer);
    for (const ProfilePoint& point : series.points) {
      profile.low = std::min(profile.low, point.value);
      profile.high = std::max(profile.high, point.value);
      profile.first_layer = std::min(profile.first_layer, point.layer);
      profile.last_layer = std::max(profile.last_layer, point.layer);
    }
    profile.series.push_back(std::move(series));
  }
  if (profile.series.empty()) return {};
  return profile;
}

}  // namespace vitrine::ui::spectra
