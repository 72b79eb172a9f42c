// Linear attention layers of families whose other layers are attention: MiniMax's lightning attention,
// Qwen3-Next's gated DeltaNet. `in` is a name up to the layer's part: "model.layers.3.self_attn.", "blk.3.".
#pragma once

#include <string>
#include <vector>

#include "core/arch/architecture.h"
#include "core/model/model_spec.h"

namespace vitrine::core::arch {

// layer_types of config.json, made of linear_attention and full_attention, or attention.recurrent_layers;
// `otherwise` where there is none.
Result<std::vector<bool>> readLinearLayers(const Hparams& hparams, std::vector<bool> otherwise);

struct LightningSizes {
  std::uint32_t embedding = 0, heads = 0, head_dim = 0;
  std::uint32_t layers = 0;  // of the model: slopes fall from the first to the last
};
struct LightningNames {
  std::string qkv, gate, norm, output;  // full names without ".weight"
};
Result<LightningSpec> readLightning(Weights& weights, const LightningNames& names,
                                    const LightningSizes& sizes, std::uint32_t layer);

struct DeltaNetSizes {
  std::uint32_t embedding = 0, key_heads = 0, value_heads = 0, key_dim = 0, value_dim = 0, kernel = 0;
  float epsilon = 0;
};
// linear_num_key_heads, linear_key_head_dim, linear_conv_kernel_dim .. of config.json, checked.
Result<DeltaNetSizes> readDeltaNetSizes(const Hparams& hparams, std::uint32_t embedding, float epsilon);
Result<DeltaNetSpec> readDeltaNet(Weights& weights, const std::string& in, const DeltaNetSizes& sizes);
// llama.cpp's: the keys ssm.*, and INattn_qkv with attn_gate, or in old files ssm_in, ssm_ba, ssm_conv1d,
// ssm_a ..
Result<DeltaNetSizes> readGgufDeltaNetSizes(const Hparams& hparams, std::uint32_t embedding, float epsilon);
Result<DeltaNetSpec> readGgufDeltaNet(Weights& weights, const std::string& in, const DeltaNetSizes& sizes);

}  // namespace vitrine::core::arch
