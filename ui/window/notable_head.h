// Which head to show first: the one with the strongest induction score, or where nothing repeats yet, the
// strongest previous-token score.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/selection.h"

#include <optional>

namespace vitrine::ui {

std::optional<Head> notableHead(const core::Snapshot& snapshot);  // empty while there are no summaries

}  // namespace vitrine::ui
