// Which picture of the map the view asks the engine for, given what is seen. Pure arithmetic, no drawing.
#pragma once

#include <optional>

#include "core/engine/engine_types.h"
#include "ui/selection.h"
#include "ui/views/map_viewport.h"

namespace vitrine::ui::attention {

// From one device pixel a cell on: one picture element a cell (the canvas enlarges it), over the visible
// cells and a margin in steps, so that small movements need no new picture; small maps whole. Below: the
// visible part at the resolution of the screen. The region may reach beyond the end of a growing sequence.
// Empty when nothing is seen.
std::optional<core::MapRequest> mapRequest(const MapViewport& viewport, Head head, core::Pooling pooling);

// Whether a picture, drawn when the sequence had `tokens` tokens, shows what is wanted: the same head, all of
// the wanted region that exists, at the wanted resolution. (The engine clips requests to the sequence.)
bool answers(const core::MapRequest& shown, std::uint32_t tokens, const core::MapRequest& wanted);

// Whether every element of the picture is exactly one cell (then its values are exact, not pooled).
bool isExact(const core::MapRequest& request);

}  // namespace vitrine::ui::attention
