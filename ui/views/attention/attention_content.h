// The Attention view as the canvas draws it: view bar, overview, large map, and the states in which there is
// nothing to see. Knows no window, so that tests and benchmarks draw it into images.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ui/canvas/canvas.h"
#include "ui/views/attention/map_panel.h"
#include "ui/views/attention/overview_panel.h"
#include "ui/views/attention/view_bar.h"

namespace vitrine::ui::attention {

// What the user asked for that only the window can do.
enum class Wish { kOpenModel, kWritePrompt, kCancelLoad, kCopyError };

class AttentionContent : public CanvasContent {
 public:
  AttentionContent(gpu::Device& device, Selection& selection, ViewSettings& settings)
      : selection_(selection), settings_(settings), map_(device) {}

  void setSnapshot(std::shared_ptr<const core::Snapshot> snapshot) { snapshot_ = std::move(snapshot); }
  void onWish(std::function<void(Wish)> callback) { wish_ = std::move(callback); }
  // What should be computed; valid after a frame has been drawn.
  const core::ProbeRequest& probes() const { return probes_; }
  MapViewport& viewport() { return map_.viewport(); }
  ViewBarState& bar() { return bar_; }

  void draw(CanvasFrame& frame) override;
  bool wantsKey(const KeyPress& press) const override;

 private:
  void handleKey(const KeyPress& press, const PanelContext& context);
  void moveCell(const KeyPress& press);
  void drawPanels(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  void drawNoMap(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  void drawSplitter(CanvasFrame& frame, const Rect& area, double x);
  // The message when there is nothing to draw; false when there is.
  bool drawState(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  struct Message {
    std::string title, text, button;
    Wish wish = Wish::kOpenModel;
    double progress = -1;  // 0 to 1; below 0: none
    Rgba color;            // of the title
  };
  void drawMessage(CanvasFrame& frame, const Message& message, const Rect& area);

  Selection& selection_;
  ViewSettings& settings_;
  std::shared_ptr<const core::Snapshot> snapshot_;
  MapPanel map_;
  OverviewPanel overview_;
  ViewBarState bar_;
  std::optional<double> overview_width_;  // dragged by the user; empty: what the overview prefers
  core::ProbeRequest probes_;
  std::function<void(Wish)> wish_;
};

}  // namespace vitrine::ui::attention
