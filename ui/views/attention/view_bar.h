// The bar above the pictures: how the heads are sorted and how maps are coloured. Each choice has a key.
#pragma once

#include "ui/views/attention/head_order.h"
#include "ui/views/panel.h"

namespace vitrine::ui::attention {

enum class OverviewState { kShown, kHidden };

struct ViewBarState {
  HeadSort sort = HeadSort::kLayerHead;
  OverviewState overview = OverviewState::kShown;
};

// Draws into `area` and changes `state` and the context's settings as the user chooses.
void drawViewBar(CanvasFrame& frame, const PanelContext& context, const Rect& area, ViewBarState& state);

// The next of the choices, for keys.
HeadSort nextSort(HeadSort sort);
core::ColormapId nextColormap(core::ColormapId map);

}  // namespace vitrine::ui::attention
