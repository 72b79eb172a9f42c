// The plots of the live spectra: the ranks of the selected layer or kv head over the tokens, and its singular
// values now.
#pragma once

#include "ui/selection.h"
#include "ui/views/spectra/live_series.h"
#include "ui/views/spectra/plot_frame.h"

namespace vitrine::ui::spectra {

inline constexpr std::size_t kEffectiveColor = 0, kStableColor = 1;  // numbers of seriesColor()

// What is selected; the series has a picture.
struct LiveShown {
  core::SpectraOf of = core::SpectraOf::kActivations;
  const LiveSeries& series;
  std::size_t row = 0, head = 0;
  std::string name;                                // "layer 3, kv head 1"
  const core::StreamSpectrum* spectrum = nullptr;  // null where there is none
};

class LivePlots {
 public:
  // For a frame. A click on the tokens' axis locks that token.
  LivePlots(LiveShown shown, Selection& selection) : shown_(std::move(shown)), selection_(selection) {}

  void drawRanks(CanvasFrame& frame, const Rect& area) const;
  void drawValues(CanvasFrame& frame, const Rect& area) const;

 private:
  void drawRankHover(CanvasFrame& frame, const PlotArea& plot, std::span<const LivePoint> points) const;
  void drawValueHover(CanvasFrame& frame, const PlotArea& plot, const core::StreamSpectrum& spectrum) const;

  LiveShown shown_;
  Selection& selection_;
};

}  // namespace vitrine::ui::spectra
