// What a view says where there is nothing to draw: why, and the button that ends it.
#pragma once

#include <optional>
#include <string>

#include "ui/views/canvas_view.h"
#include "ui/views/panel.h"

namespace vitrine::ui {

struct ViewMessage {
  std::string title, text, button = {};
  Wish wish = Wish::kOpenModel;
  double progress = -1;  // 0 to 1; below 0: none
  Rgba color;            // of the title
};

// In the middle of `area`. Returns whether the button was pressed.
bool drawMessage(CanvasFrame& frame, const ViewMessage& message, const Rect& area);

// While no model is there, or none of its tokens; nothing otherwise. `seen` ends "Open a model to watch ..".
std::optional<ViewMessage> missingSubject(const PanelContext& context, const Colors& colors,
                                          const std::string& seen);

}  // namespace vitrine::ui
