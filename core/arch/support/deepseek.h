// What DeepSeek-V2 and V3 share: blocks of latent attention, the first of them with a dense MLP, the others
// with experts beside shared ones. The families differ in their routers.
#pragma once

#include "core/arch/architecture.h"
#include "core/arch/support/moe.h"

namespace vitrine::core::arch {

// V3's router: sigmoid scores, a correction for the choice, groups by the sum of their two best.
inline constexpr MoeTraits kDeepseekV3Moe = {.scores = RouterScores::kSigmoid,
                                             .normalize_hf = true,
                                             .epsilon = 1e-20f,
                                             .correction = true,
                                             .group_score = GroupScore::kTopTwoSum,
                                             .shared = SharedExpert::kPlain};

Result<ModelSpec> readDeepseek(const Source& source, const MoeTraits& moe);

}  // namespace vitrine::core::arch
