// Which row of attention the linked displays show. While one follows the newest token, the engine's rows come
// a little behind the tokens: the newest row of the selected head is shown then, rather than nothing.
#pragma once

#include "core/engine/engine_types.h"
#include "ui/selection.h"

namespace vitrine::ui {

// Whether `row` is the one of the selected head and query, or as near to it as there is while following.
inline bool isShownRow(const core::RowValues& row, const Selection& selection) {
  const Head head = selection.head();
  if (row.request.layer != head.layer || row.request.head != head.head || !selection.query()) return false;
  const bool following = !selection.isLocked() && !selection.hovered().query;
  return row.request.query == *selection.query() || (following && row.request.query < *selection.query());
}

}  // namespace vitrine::ui
