// What readers of state space families share.
#pragma once

#include <string>

#include "core/arch/architecture.h"
#include "core/model/model_spec.h"

namespace vitrine::core::arch {

// Beyond what registers hold for a channel, or for a head's rows.
inline constexpr std::uint32_t kMostStates = 512;

inline constexpr std::uint32_t kWidestExpansion = 64;  // channels of a mixer for each of the model

// No convolution or state space ends anywhere: what llama.cpp writes for a model that tells no context.
inline constexpr std::uint32_t kEndlessContext = 1 << 20;

// A whole number from 2 to kLongestConvolution.
Result<std::uint32_t> readKernel(const Hparams& hparams, Key key, std::uint32_t otherwise);
Result<CausalConv> readConvolution(Weights& weights, const std::string& name, std::uint32_t channels,
                                   std::uint32_t kernel, bool bias);
// Refuses any activation but SiLU, the only one that the kernels of these mixers know.
Result<void> requireSilu(const Hparams& hparams, Key key);

// A list [least, most] of config.json, or 0 and infinity; infinity may be written {"__float__": "Infinity"}.
struct StepLimits {
  float least = 0, most = std::numeric_limits<float>::infinity();
};
Result<StepLimits> readStepLimits(const Hparams& hparams, Key key);

struct Mamba2Sizes {
  std::uint32_t embedding = 0, heads = 0, head_dim = 0, state = 0, groups = 1, kernel = 0;
  bool conv_bias = true, input_bias = false, output_bias = false;
};
// Refuses groups that do not divide the heads, and a product of heads and head_dim other than `inner` (0:
// any).
Result<void> checkMamba2(const Mamba2Sizes& sizes, std::uint64_t inner);
// All but norm, scales and limits, which stay as they are by default. Names are config.json's files':
// PREFIXin_proj, conv1d, dt_bias, A_log, D, out_proj.
Result<Mamba2Spec> readMamba2(Weights& weights, const std::string& prefix, const Mamba2Sizes& sizes);
// llama.cpp's: the keys ssm.*, and PREFIXssm_in, ssm_conv1d, ssm_dt, ssm_a, ssm_d, ssm_out, and maybe
// ssm_norm, a norm for each group behind the gate.
Result<Mamba2Sizes> readGgufMamba2Sizes(const Hparams& hparams, std::uint32_t embedding);
Result<Mamba2Spec> readGgufMamba2(Weights& weights, const std::string& prefix, const Mamba2Sizes& sizes,
                                  float epsilon);

// mamba_n_heads, mamba_d_head, mamba_d_state .. of config.json, as families write them whose other blocks
// are attention (Bamba, Falcon-H1), checked. `inner`: 0 for mamba_expand times the embedding.
Result<Mamba2Sizes> readHybridSizes(const Hparams& hparams, std::uint32_t embedding, std::uint32_t inner = 0);

}  // namespace vitrine::core::arch
