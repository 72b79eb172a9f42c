// Phi-3 and Phi-4-mini (arXiv 2404.14219, 2503.01743): q, k and v in one matrix, gate and up in another.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::phi3 {
namespace {

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits{.default_epsilon = 1e-5,
                       .qkv = QkvLayout::kStacked,
                       .attention_bias = AttentionBias::kNone,
                       .mlp = MlpShape::kFused,
                       .rotary = Rotary::kPart,
                       .default_context = 4096,
                       .windows = commonWindow};
  traits.names.qkv.hf = "self_attn.qkv_proj";
  traits.names.up.hf = "mlp.gate_up_proj";
  return readDecoder(source, traits);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"phi3"}, .gguf_names = {"phi3"}, .read = read};

}  // namespace vitrine::core::arch::phi3
