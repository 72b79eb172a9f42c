// The Spectra view as the canvas draws it: the table of all matrices at the left, the curves of the selected
// ones and the profile over the layers at the right.
//
// Keys while the canvas has the focus: up, down, page up and down, Home and End move the selection (Shift
// extends it), Ctrl+A takes the first six rows; S sorts by the next number, R the other way round, D draws
// the next of log, linear, energy and density (of a comparison the next picture), W takes the next subject, /
// goes to the filter; + and - zoom a comparison's maps, 0 and F show all of them; Esc cancels while something
// is computed. The head graph has keys of its own (head_graph_panel.h) beside W and Esc.
#pragma once

#include "ui/views/canvas_view.h"
#include "ui/views/spectra/comparison_panels.h"
#include "ui/views/spectra/head_graph_panel.h"
#include "ui/views/spectra/live_content.h"
#include "ui/views/spectra/matrix_table.h"

namespace vitrine::ui::spectra {

struct SpectraLayout {
  Rect table, spectrum, profile;
};
// The table takes about half of the width, but no more than its columns need; where it is low, one plot fills
// the right side; where it is narrow, the table all of it. A comparison's pictures take more of the width,
// all of `spectrum`.
SpectraLayout layoutOf(const Rect& area, Subject subject = Subject::kWeights);

class SpectraContent : public ViewContent {
 public:
  SpectraContent(gpu::Device& device, SpectraState& state, Selection& selection, ViewSettings& settings)
      : state_(state),
        table_(state),
        spectrum_(state),
        profile_(state, selection),
        comparison_(device, state, selection, settings),
        graph_(state, selection),
        live_(selection, settings) {
    live_.onOfChanged([this](core::SpectraOf of) { emit state_.subjectRequested(subjectOf(of)); });
  }

  void draw(CanvasFrame& frame) override;
  bool wantsKey(const KeyPress& press) const override;
  void fit() override { showsGraph() ? graph_.fit() : comparison_.fit(); }
  void zoom(double factor) override { showsGraph() ? graph_.zoom(factor) : comparison_.zoom(factor); }
  void actualSize() override { comparison_.actualSize(); }
  ComparisonPanels& comparison() { return comparison_; }
  HeadGraphPanel& graph() { return graph_; }
  const LiveContent& live() const { return live_; }

 private:
  using Self = SpectraContent;
  using Action = std::function<void(SpectraContent&)>;
  bool showsGraph() const { return state_.subject() == Subject::kHeadGraph; }
  bool drawMessages(CanvasFrame& frame, const Rect& area);
  // What the key does; nothing where it is none of the view's.
  Action actionOf(const KeyPress& press) const;
  Action tableAction(const KeyPress& press) const;
  void drawLive(CanvasFrame& frame);

  SpectraState& state_;
  MatrixTable table_;
  SpectrumPlot spectrum_;
  ProfilePlot profile_;
  ComparisonPanels comparison_;
  HeadGraphPanel graph_;
  LiveContent live_;
};

}  // namespace vitrine::ui::spectra
