// Qwen2 and Qwen2.5 (arXiv 2407.10671, 2412.15115): biases on q, k and v, an optional sliding window in the
// upper layers.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::qwen2 {
namespace {

Result<ModelSpec> read(const Source& source) {
  return readDecoder(source, {.attention_bias = AttentionBias::kQkv,
                              .default_kv_heads = 32,
                              .default_context = 32'768,
                              .windows = qwenWindows});
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"qwen2"}, .gguf_names = {"qwen2"}, .read = read};

}  // namespace vitrine::core::arch::qwen2
