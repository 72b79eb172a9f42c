// The upper plot of the Spectra view: the selected matrices' singular values, their energy or their density;
// until those are known, the largest ones with the bars of their residuals.
#pragma once

#include "ui/views/spectra/plot_frame.h"
#include "ui/views/spectra/spectra_state.h"

namespace vitrine::ui::spectra {

class SpectrumPlot {
 public:
  explicit SpectrumPlot(SpectraState& state) : state_(state) {}
  void draw(CanvasFrame& frame, const Rect& area);

 private:
  struct Shown {
    Series series;
    std::shared_ptr<const core::SpectrumReport> report;
    core::Curve curve;
    // The base's, or the null's; null where there is none.
    std::shared_ptr<const core::SpectrumReport> companion;
    core::Curve beside;
  };
  struct Previewed {
    Series series;
    std::shared_ptr<const core::SpectrumPreview> preview;
    core::Curve curve;
  };
  std::vector<Shown> shownCurves(core::DensityBins& bins) const;
  std::vector<Previewed> previewedCurves() const;
  std::vector<LegendEntry> legend() const;
  void drawCurve(CanvasFrame& frame, const PlotArea& plot, const Shown& shown) const;
  void drawPreview(CanvasFrame& frame, const PlotArea& plot, const Previewed& previewed) const;
  void drawBeside(CanvasFrame& frame, const PlotArea& plot, const Shown& shown) const;
  void drawNoise(CanvasFrame& frame, const PlotArea& plot, const Shown& first, const core::DensityBins& bins,
                 std::span<const core::Curve> curves) const;
  void drawHover(CanvasFrame& frame, const PlotArea& plot, const std::vector<Shown>& shown,
                 const std::vector<Previewed>& previewed) const;
  std::string_view companionName() const;
  std::string note(const std::vector<Shown>& shown, const std::vector<Previewed>& previewed,
                   const core::DensityBins& bins) const;
  std::string nothingText() const;

  SpectraState& state_;
};

}  // namespace vitrine::ui::spectra
