// Spectra of what the sequence leaves in the model while it grows: at the left a row for each layer with its
// ranks, at the right those of the selected one over the tokens, and its singular values now. The layer and
// head are those of the other views, and a click on the tokens' axis locks that token there too.
//
// Keys while the canvas has the focus: up, down, Home and End choose a layer, left and right a kv head, O
// shows the next of activations, keys and values.
#pragma once

#include "ui/views/canvas_view.h"
#include "ui/views/panel.h"
#include "ui/views/spectra/live_series.h"

namespace vitrine::ui::spectra {

struct LiveLayout {
  Rect rows, ranks, values;
};
// Both plots where there is height for them, else the ranks alone; the rows alone where it is narrow.
LiveLayout liveLayoutOf(const Rect& area);

class LiveContent : public ViewContent {
 public:
  LiveContent(Selection& selection, ViewSettings& settings) : selection_(selection), settings_(settings) {}

  core::SpectraOf of() const { return of_; }
  void setOf(core::SpectraOf of) { of_ = of; }
  std::uint32_t window() const { return window_; }
  void setWindow(std::uint32_t tokens) { window_ = tokens; }  // 0: all tokens
  // Told when a key has chosen another.
  void onOfChanged(std::function<void(core::SpectraOf)> callback) { of_changed_ = std::move(callback); }

  std::size_t selectedRow() const;
  std::size_t selectedHead() const;  // kv head
  const LiveSeries& series() const { return series_; }
  bool isCurrent() const;                        // the newest picture is of what is asked for
  const core::StreamSpectrum* selected() const;  // null where there is none
  std::string selectedName() const;              // "layer 3, kv head 1"; needs isCurrent()

  void draw(CanvasFrame& frame) override;
  bool wantsKey(const KeyPress& press) const override;

 private:
  void handleKey(const KeyPress& press, const PanelContext& context);
  void selectRow(std::size_t row);
  void moveHead(int by, const PanelContext& context);

  void drawRows(CanvasFrame& frame, const Rect& area);
  void drawRow(CanvasFrame& frame, const Rect& place, std::size_t row);
  void drawBars(CanvasFrame& frame, const Rect& place, std::size_t row);

  Selection& selection_;
  ViewSettings& settings_;
  core::SpectraOf of_ = core::SpectraOf::kActivations;
  std::uint32_t window_ = 0;
  LiveSeries series_;
  std::shared_ptr<const core::ModelSummary> model_;  // of the series
  bool embedding_ = false;                           // its row is chosen, not that of the layer behind it
  std::function<void(core::SpectraOf)> of_changed_;
};

}  // namespace vitrine::ui::spectra
