#include "ui/window/notable_head.h"

#include <cmath>

namespace vitrine::ui {

std::optional<Head> notableHead(const core::Snapshot& snapshot) {
  if (!snapshot.heads || !snapshot.model || snapshot.model->heads == 0) return std::nullopt;
  std::optional<std::size_t> best;
  bool best_repeats = false;
  float best_score = 0;
  for (std::size_t i = 0; i < snapshot.heads->size(); ++i) {
    const core::HeadSummary& head = (*snapshot.heads)[i];
    const bool repeats = !std::isnan(head.induction);
    const float score = repeats ? head.induction : head.previous;
    if (std::isnan(score)) continue;  // a layer without attention
    if (best && (best_repeats > repeats || (best_repeats == repeats && score <= best_score))) continue;
    best = i;
    best_repeats = repeats;
    best_score = score;
  }
  if (!best) return std::nullopt;
  return Head{std::uint32_t(*best / snapshot.model->heads), std::uint32_t(*best % snapshot.model->heads)};
}

}  // namespace vitrine::ui
