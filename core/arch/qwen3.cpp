// Qwen3, dense (arXiv 2505.09388): RMS norms over each head of q and k, before the rotary embedding.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch {
namespace {

Result<ModelSpec> read(const Source& source) {
  return readDecoder(source, {.query_key_norm = QueryKeyNorm::kRmsPerHead,
                              .default_kv_heads = 32,
                              .default_head_dim = 128,
                              .default_context = 32'768,
                              .windows = qwenWindows});
}

}  // namespace

extern const Architecture qwen3;
const Architecture qwen3 = {.model_types = {"qwen3"}, .gguf_names = {"qwen3"}, .read = read};

}  // namespace vitrine::core::arch
