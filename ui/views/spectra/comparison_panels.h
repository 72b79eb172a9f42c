// The right side of a comparison: the maps of the inspected matrix, its intruder counts, the spectra of the
// selected ones and the profile over the layers.
#pragma once

#include "ui/selection.h"
#include "ui/views/spectra/counts_panel.h"
#include "ui/views/spectra/direction_map_panel.h"
#include "ui/views/spectra/profile_plot.h"
#include "ui/views/spectra/spectrum_plot.h"

#include <array>

namespace vitrine::ui::spectra {

struct PicturePlace {
  ComparisonPicture picture;
  Rect area;
};
// Equal places in two columns, in one where it is narrow: as many of the pictures as there is room for, or
// the chosen one alone.
std::vector<PicturePlace> pictureLayout(const Rect& area, ComparisonPicture picture);

class ComparisonPanels {
 public:
  ComparisonPanels(gpu::Device& device, SpectraState& state, const Selection& selection,
                   const ViewSettings& settings);

  void draw(CanvasFrame& frame, const Rect& area);
  void fit();
  void zoom(double factor);  // of the map under the pointer, else of all
  void actualSize();
  DirectionMapPanel& map(DirectionMapKind kind) { return maps_[std::size_t(kind)]; }

 private:
  void drawPicture(CanvasFrame& frame, const PicturePlace& place);

  SpectraState& state_;
  const ViewSettings& settings_;
  std::array<DirectionMapPanel, 3> maps_;
  CountsPanel counts_;
  SpectrumPlot spectrum_;
  ProfilePlot profile_;
};

}  // namespace vitrine::ui::spectra
