// Qwen1.5-MoE and Qwen2, mixtures (arXiv 2407.10671): many narrow experts, their softmax not normalized, and
// a shared expert behind a sigmoid.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::qwen2_moe {
namespace {

constexpr Key kQkvBias = {"qkv_bias", ""};
constexpr Key kUseWindow = {"use_sliding_window", ""};
constexpr Key kLayerTypes = {"layer_types", ""};
constexpr MoeTraits kMoe = {.shared = SharedExpert::kGated};

// Which layers have a window changed between releases of transformers: only layer_types says it for sure.
Result<std::vector<std::uint32_t>> windows(const Hparams& hparams, std::uint32_t layers) {
  TRY_ASSIGN(const bool use, hparams.flagOr(kUseWindow, false));
  if (use && !hparams.has(kLayerTypes))
    return fail(ErrorCode::kUnsupported, "use_sliding_window without layer_types is not read");
  return qwenWindows(hparams, layers);
}

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const bool bias, source.hparams.flagOr(kQkvBias, true));
  return readDecoder(source, {.attention_bias = bias ? AttentionBias::kQkv : AttentionBias::kNone,
                              .default_kv_heads = 16,
                              .default_context = 32'768,
                              .windows = windows,
                              .moe = &kMoe});
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"qwen2_moe"}, .gguf_names = {"qwen2moe"}, .read = read};

}  // namespace vitrine::core::arch::qwen2_moe
