// The lower plot of the Spectra view: a number of all matrices over the layers.
#pragma once

#include "ui/selection.h"
#include "ui/views/spectra/plot_frame.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

class ProfilePlot {
 public:
  ProfilePlot(SpectraState& state, const Selection& selection) : state_(state), selection_(selection) {}
  void draw(CanvasFrame& frame, const Rect& area);

 private:
  void drawSeries(CanvasFrame& frame, const PlotArea& plot, const ProfileSeries& series, bool dimmed) const;
  void drawBand(const PlotArea& plot, const ProfileSeries& series, Rgba color) const;
  void drawLayer(CanvasFrame& frame, const PlotArea& plot) const;
  void drawHover(CanvasFrame& frame, const PlotArea& plot);

  SpectraState& state_;
  const Selection& selection_;
};

// The axis of the values: from 0 where they reach far down, logarithmic where they span more than two
// decades.
core::ValueScale profileScale(double low, double high);

}  // namespace vitrine::ui::spectra
