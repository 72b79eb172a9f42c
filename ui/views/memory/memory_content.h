// The Memory view as the canvas draws it: what every layer keeps of the tokens that it has read. Rows of keys
// and values, a latent in their place, or a state of fixed size, with the norm of each head's
// and what the newest step has kept of it.
//
// Keys while the canvas has the focus: up and down move the layer.
#pragma once

#include "ui/views/view_message.h"

namespace vitrine::ui::memory {

// "4 kv heads × 32, k and v", "latent of 512 + 64 rotary", "24 × 64 × 128"; a layer may have both.
std::string keptText(const core::LayerSummary& layer, const core::LayerState* state);
// By which factors a step has kept a state's heads: "0.912 – 0.999", or one number; and what a head's is the
// mean over: "mean over 64 keys", "mean over 512 channels", or nothing.
std::string decaysText(const core::LayerState& state);
std::string decayMeanText(const core::LayerState& state);
// "3.2 kB", "1.05 MB".
std::string bytesText(std::uint64_t bytes);

class MemoryContent : public ViewContent {
 public:
  MemoryContent(Selection& selection, ViewSettings& settings) : selection_(selection), settings_(settings) {}

  void draw(CanvasFrame& frame) override;
  bool wantsKey(const KeyPress& press) const override;

 private:
  struct Row;
  struct Columns;
  void drawTotals(CanvasFrame& frame, const PanelContext& context, const Rect& area);
  void drawHeader(CanvasFrame& frame, const Columns& columns, double y);
  void drawRow(CanvasFrame& frame, const PanelContext& context, const Columns& columns, const Row& row);
  void drawReach(CanvasFrame& frame, const PanelContext& context, const Rect& place,
                 const core::LayerSummary& layer);
  void drawNorms(CanvasFrame& frame, const Rect& place, const Row& row);
  void drawDecays(CanvasFrame& frame, const Rect& place, const Row& row);
  void drawHeadTip(CanvasFrame& frame, const Rect& target, const Row& row, std::size_t head);

  Selection& selection_;
  ViewSettings& settings_;
  std::shared_ptr<const core::StatePicture> states_;
};

}  // namespace vitrine::ui::memory
