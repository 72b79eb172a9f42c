// Reads multi-head latent attention (core/model/mixers/latent_attention.h) from DeepSeek's tensors and from
// llama.cpp's, where kv_b_proj is one tensor (attn_kv_b) or two (attn_k_b, attn_v_b).
#pragma once

#include <string>

#include "core/arch/architecture.h"
#include "core/arch/support/rope.h"
#include "core/model/model_spec.h"

namespace vitrine::core::arch {

struct LatentSizes {
  std::uint32_t embedding = 0, heads = 0;
  std::uint32_t rank = 0, query_rank = 0;                      // query_rank 0: queries come from x itself
  std::uint32_t plain_dim = 0, rotary_dim = 0, value_dim = 0;  // of a head
  float epsilon = 0;                                           // of the latents' norms
  bool bias = false;                                           // of the first and last projections
  FoldedRope rope;

  std::uint64_t keyDim() const { return std::uint64_t{plain_dim} + rotary_dim; }
};

// `epsilon` is the one of the blocks' norms. GGUF has it for the latents' norms, too; transformers takes
// 1e-6.
Result<LatentSizes> readLatentSizes(const Source& source, std::uint32_t embedding, std::uint32_t context,
                                    float epsilon);

// `layer`: what stands in front of the layer's tensors: "model.layers.3.", "blk.3.".
Result<AttentionSpec> readLatentAttention(const Source& source, const std::string& layer,
                                          const LatentSizes& sizes);

}  // namespace vitrine::core::arch
