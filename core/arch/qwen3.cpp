// Qwen3, dense (arXiv 2505.09388): RMS norms over each head of q and k, before the rotary embedding.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::qwen3 {
namespace {

Result<ModelSpec> read(const Source& source) {
  return readDecoder(source, {.query_key_norm = QueryKeyNorm::kRmsPerHead,
                              .default_kv_heads = 32,
                              .default_head_dim = 128,
                              .default_context = 32'768,
                              .windows = qwenWindows});
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"qwen3"}, .gguf_names = {"qwen3"}, .read = read};

}  // namespace vitrine::core::arch::qwen3
