// Rotary embeddings of a checkpoint, every scaling folded into one table.
// Hugging Face: `rope_parameters` (transformers 5), or `rope_scaling` with `rope_theta`: default, linear,
// dynamic, llama3, yarn, longrope. GGUF: the rope.* keys and the tensors rope_freqs, rope_factors_short,
// rope_factors_long.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/arch/support/hparams.h"
#include "core/arch/support/weights.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

struct RopeShape {
  RopePairing pairing = RopePairing::kHalf;
  std::uint32_t rotary_dim = 0;
  std::uint32_t context_length = 0;  // as the file claims
  bool partial = false;              // partial_rotary_factor is read, and rotary_dim follows from it
  double default_theta = 10'000;
  std::string_view layer_type = "";  // for files with parameters for each kind of layer (gemma3)
  // GGUF's yarn_log_multiplier is read: a tenth of mscale_all_dim, and mscale is its equal (deepseek2).
  bool log_multiplier = false;
  // Whether yarn's ramp begins and ends at whole dimensions, for GGUF, which has no key for it.
  bool gguf_truncates = true;
};

struct FoldedRope {
  Rope rope;
  // Up to here the table is right: longrope would change it beyond its original context.
  std::uint32_t context_length = 0;
  // DeepSeek's yarn multiplies q . k, rotary part or not: the square of what mscale_all_dim gives. The
  // family's reader takes it into the scale.
  double score_scale = 1;
};

// How many dimensions of a head turn: partial_rotary_factor of them (of `otherwise`, where the family reads
// it and the file lacks it), or rope.dimension_count.
Result<std::uint32_t> readRotaryDim(const Hparams& hparams, const RopeShape& shape, std::uint32_t head_dim,
                                    double otherwise);

Result<FoldedRope> readRope(const Hparams& hparams, Weights& weights, const RopeShape& shape);

}  // namespace vitrine::core::arch
