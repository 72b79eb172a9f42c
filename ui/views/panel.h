// What the panels of all views share: the newest snapshot and the linked state.
#pragma once

#include <imgui.h>

#include <memory>
#include <string>

#include "core/engine/engine_types.h"
#include "ui/canvas/canvas.h"
#include "ui/canvas/draw_text.h"
#include "ui/selection.h"
#include "ui/view_settings.h"
#include "ui/views/geometry.h"

namespace vitrine::ui {

struct PanelContext {
  const core::Snapshot& snapshot;
  Selection& selection;
  ViewSettings& settings;

  std::uint32_t layers() const { return snapshot.model ? snapshot.model->layers : 0; }
  std::uint32_t heads() const { return snapshot.model ? snapshot.model->heads : 0; }
  bool hasMap(Head head) const { return snapshot.model && snapshot.model->hasMap(head.layer, head.head); }
  std::uint32_t tokens() const { return snapshot.tokens ? std::uint32_t(snapshot.tokens->size()) : 0; }
  bool live() const {
    return snapshot.state == core::EngineState::kGenerating ||
           snapshot.state == core::EngineState::kPrefilling;
  }
  MapPaint paint(const Theme& theme) const {
    return {settings.range(), settings.scale(), settings.colormap(), theme.colors.masked, theme.colors.error};
  }
};

inline ImVec2 toIm(Point p) {
  return {float(p.x), float(p.y)};
}
inline ImVec2 low(const Rect& r) {
  return {float(r.x0), float(r.y0)};
}
inline ImVec2 high(const Rect& r) {
  return {float(r.x1), float(r.y1)};
}
inline Point toPoint(ImVec2 p) {
  return {p.x, p.y};
}

// "Layer 17 · Head 5 (kv 1)"; the key-value head only where several heads share one.
std::string headName(const core::ModelSummary& model, Head head);
// Three or four significant digits: "0.594", "0.00126", "3.21e-5".
std::string number(double value);

// A tooltip's card of rows, drawn over everything, placed so that it does not hide `target`.
struct TooltipRow {
  std::string name, value;
  Rgba color;  // of the value
};
struct Tooltip {
  std::string title;  // large
  bool mono_title = false;
  std::vector<TooltipRow> rows;  // name left, value right; values may be tokens of any script
  std::string hint;              // small, last
};
void drawTooltip(CanvasFrame& frame, const Tooltip& tooltip, const Rect& target, const Rect& bounds);

}  // namespace vitrine::ui
