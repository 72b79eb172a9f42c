// Rotary embeddings of a checkpoint, every scaling folded into one table.
// Hugging Face: `rope_parameters` (transformers 5), or `rope_scaling` with `rope_theta`: default, linear,
// dynamic, llama3, yarn, longrope. GGUF: the rope.* keys and the tensors rope_freqs, rope_factors_short,
// rope_factors_long.
#pragma once

#include <cstdint>

#include "core/arch/support/hparams.h"
#include "core/arch/support/weights.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

struct RopeShape {
  RopePairing pairing = RopePairing::kHalf;
  std::uint32_t rotary_dim = 0;
  std::uint32_t context_length = 0;  // as the file claims
};

struct FoldedRope {
  Rope rope;
  // Up to here the table is right: longrope would change it beyond its original context.
  std::uint32_t context_length = 0;
};

Result<FoldedRope> readRope(const Hparams& hparams, Weights& weights, const RopeShape& shape);

}  // namespace vitrine::core::arch
