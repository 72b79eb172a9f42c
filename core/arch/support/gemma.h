// What Gemma 2 and 3 share: norms with a gain of 1 + weight, norms before and behind each half of a block, a
// scaled embedding, capped scores and logits.
#pragma once

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch {

DecoderTraits gemmaTraits();

struct GemmaDefaults {
  std::uint32_t layers_of_27b =
      0;  // a GGUF file tells the largest model, whose scores are scaled otherwise, so
  double score_cap = 0, logit_cap = 0;  // where config.json leaves them out; 0: none
};
// Sets the scales and caps.
Result<void> finishGemma(const Source& source, const GemmaDefaults& defaults, ModelSpec& spec);

}  // namespace vitrine::core::arch
