// Where a tooltip goes so that it never hides what it explains. Pure arithmetic, no drawing.
#pragma once

#include "ui/views/geometry.h"

namespace vitrine::ui {

// The corner of a tooltip of `width` x `height` beside `target`, within `bounds`: below right, else above
// right, below left, above left; the first that fits, and otherwise the one that covers the target least.
Point placeTooltip(const Rect& target, double width, double height, const Rect& bounds);

}  // namespace vitrine::ui
