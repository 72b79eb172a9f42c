// OLMo 2 (arXiv 2501.00656): norms behind the attention and the MLP instead of before, and over all heads of
// q and k together.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch {
namespace {

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits{
      .default_epsilon = 1e-5, .query_key_norm = QueryKeyNorm::kRmsOverAllHeads, .default_context = 2048};
  traits.names.mixer_norm = {};
  traits.names.mixer_post_norm = {"post_attention_layernorm", "post_attention_norm"};
  traits.names.channel_norm = {};
  traits.names.channel_post_norm = {"post_feedforward_layernorm", "post_ffw_norm"};
  return readDecoder(source, traits);
}

}  // namespace

extern const Architecture olmo2;
const Architecture olmo2 = {.model_types = {"olmo2"}, .gguf_names = {"olmo2"}, .read = read};

}  // namespace vitrine::core::arch
