#include "ui/views/spectra/live_series.h"

#include <algorithm>

namespace vitrine::ui::spectra {

void LiveSeries::clear() {
  newest_.reset();
  points_.clear();
}

bool LiveSeries::continues(const core::SpectraPicture& picture) const {
  return newest_ && newest_->request == picture.request && picture.tokens >= newest_->tokens &&
         newest_->stream == picture.stream &&
         std::ranges::equal(
             newest_->layers, picture.layers, {},
             [](const core::LayerSpectra& layer) { return layer.heads.size(); },
             [](const core::LayerSpectra& layer) { return layer.heads.size(); });
}

void LiveSeries::take(std::shared_ptr<const core::SpectraPicture> picture) {
  if (!picture || picture == newest_) return;
  if (!continues(*picture)) {
    points_.assign(picture->layers.size(), {});
    for (std::size_t row = 0; row < points_.size(); ++row)
      points_[row].resize(picture->layers[row].heads.size());
  }
  for (const core::SpectraPicture& earlier : picture->earlier) add(earlier);
  add(*picture);
  newest_ = std::move(picture);
}

void LiveSeries::add(const core::SpectraPicture& picture) {
  for (std::size_t row = 0; row < std::min(points_.size(), picture.layers.size()); ++row) {
    const auto& heads = picture.layers[row].heads;
    for (std::size_t head = 0; head < std::min(heads.size(), points_[row].size()); ++head) {
      if (!heads[head].refused.empty()) continue;
      std::vector<LivePoint>& points = points_[row][head];
      if (!points.empty() && points.back().tokens >= picture.tokens) points.pop_back();
      points.push_back({picture.tokens, heads[head].stable_rank, heads[head].effective_rank});
      if (points.size() <= kMostPoints) continue;
      std::size_t kept = 0;
      for (std::size_t i = 0; i < points.size(); i += 2) points[kept++] = points[i];
      points.resize(kept);
    }
  }
}

std::span<const LivePoint> LiveSeries::points(std::size_t row, std::size_t head) const {
  if (row >= points_.size() || head >= points_[row].size()) return {};
  return points_[row][head];
}

std::string name(core::SpectraOf of) {
  switch (of) {
    case core::SpectraOf::kActivations:
      return "activations";
    case core::SpectraOf::kKeys:
      return "keys";
    default:
      return "values";
  }
}

std::string rowName(const core::SpectraPicture& picture, std::size_t row) {
  if (picture.request.of != core::SpectraOf::kActivations)
    return fmt::format("{}", picture.layers[row].layer);
  if (row == 0) return "embedding";
  return row + 1 == picture.layers.size() ? "final norm" : fmt::format("{}", row - 1);
}

std::size_t rowOfLayer(core::SpectraOf of, std::uint32_t layer) {
  return of == core::SpectraOf::kActivations ? layer + 1 : layer;
}

std::uint32_t layerOfRow(core::SpectraOf of, std::size_t row) {
  return std::uint32_t(of == core::SpectraOf::kActivations && row > 0 ? row - 1 : row);
}

}  // namespace vitrine::ui::spectra
