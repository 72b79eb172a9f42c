#include "ui/views/spectra/comparison_panels.h"

#include <algorithm>
#include <cmath>

namespace vitrine::ui::spectra {
namespace {

constexpr double kLeastWidth = 240, kLeastPictureHeight = 180;

}  // namespace

std::vector<PicturePlace> pictureLayout(const Rect& area, ComparisonPicture picture) {
  if (area.empty()) return {};
  if (picture != ComparisonPicture::kAll) return {{picture, area}};
  const auto fitting = [](double room, double least, double most) {
    return std::size_t(std::clamp(std::floor(room / least), 1.0, most));
  };
  const std::size_t columns = fitting(area.width(), kLeastWidth, 2);
  const std::size_t rows = fitting(area.height(), kLeastPictureHeight, 3);
  std::vector<PicturePlace> places;
  const auto along = [](double from, double to, std::size_t i, std::size_t count) {
    return std::round(from + (to - from) * double(i) / double(count));
  };
  for (std::size_t i = 0; i < std::min(rows * columns, kComparisonPictures.size() - 1); ++i) {
    const std::size_t row = i / columns, column = i % columns;
    places.push_back(
        {kComparisonPictures[i + 1],
         {along(area.x0, area.x1, column, columns), along(area.y0, area.y1, row, rows),
          along(area.x0, area.x1, column + 1, columns), along(area.y0, area.y1, row + 1, rows)}});
  }
  return places;
}

ComparisonPanels::ComparisonPanels(gpu::Device& device, SpectraState& state, const Selection& selection,
                                   const ViewSettings& settings)
    : state_(state),
      settings_(settings),
      maps_{DirectionMapPanel(device, DirectionMapKind::kSimilarity),
            DirectionMapPanel(device, DirectionMapKind::kPhi),
            DirectionMapPanel(device, DirectionMapKind::kChange)},
      counts_(state),
      spectrum_(state),
      profile_(state, selection) {}

void ComparisonPanels::draw(CanvasFrame& frame, const Rect& area) {
  ImDrawList& list = *ImGui::GetWindowDrawList();
  const ImU32 line = frame.theme.colors.line.abgr();
  for (const PicturePlace& place : pictureLayout(area, state_.picture())) {
    drawPicture(frame, place);
    if (place.area.x0 > area.x0)
      list.AddLine({float(place.area.x0), float(place.area.y0)}, {float(place.area.x0), float(place.area.y1)},
                   line);
    if (place.area.y0 > area.y0)
      list.AddLine({float(place.area.x0), float(place.area.y0)}, {float(place.area.x1), float(place.area.y0)},
                   line);
  }
}

void ComparisonPanels::drawPicture(CanvasFrame& frame, const PicturePlace& place) {
  switch (place.picture) {
    case ComparisonPicture::kCounts:
      return counts_.draw(frame, place.area, settings_.colormap());
    case ComparisonPicture::kSpectrum:
      return spectrum_.draw(frame, place.area);
    case ComparisonPicture::kProfile:
      return profile_.draw(frame, place.area);
    default:
      break;
  }
  const auto inspected = state_.inspected();
  const std::string note = inspected && *inspected < state_.snapshot().total()
                               ? rowName((*state_.snapshot().matrices)[*inspected].name)
                               : "";
  maps_[std::size_t(place.picture) - 1].draw(
      frame, place.area, inspected ? state_.sharedComparison(*inspected) : nullptr,
      {.colormap = settings_.colormap(), .epsilon = state_.rule().epsilon, .note = note});
}

void ComparisonPanels::fit() {
  for (DirectionMapPanel& map : maps_) map.viewport().fit();
}

void ComparisonPanels::zoom(double factor) {
  const bool over_one = std::ranges::any_of(maps_, &DirectionMapPanel::hovered);
  for (DirectionMapPanel& map : maps_)
    if (!over_one || map.hovered()) map.viewport().zoomAt(map.viewport().plot().center(), factor);
}

void ComparisonPanels::actualSize() {
  for (DirectionMapPanel& map : maps_) map.viewport().setCellSize(1 / map.viewport().pixelRatio());
}

}  // namespace vitrine::ui::spectra
