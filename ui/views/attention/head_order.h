// In which order the overview shows the heads. Pure arithmetic, no drawing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/engine/engine_types.h"
#include "ui/selection.h"

namespace vitrine::ui::attention {

enum class HeadSort { kLayerHead, kEntropy, kFirstMass, kLocalMass, kPrevious, kInduction };

inline constexpr HeadSort kHeadSorts[] = {HeadSort::kLayerHead, HeadSort::kEntropy,  HeadSort::kFirstMass,
                                          HeadSort::kLocalMass, HeadSort::kPrevious, HeadSort::kInduction};

std::string_view name(HeadSort sort);     // "layer, head", "induction score"
std::string_view formula(HeadSort sort);  // one line: what is measured and in which unit
float metric(const core::HeadSummary& summary, HeadSort sort);  // kLayerHead: 0

// Layer-major, or the largest metric first; equal ones by layer and head, heads without a value (NaN) last.
// Without summaries (fewer than layers * heads) the order is layer-major.
std::vector<Head> headOrder(std::uint32_t layers, std::uint32_t heads, HeadSort sort,
                            std::span<const core::HeadSummary> summaries);

}  // namespace vitrine::ui::attention
