// OLMo 2 (arXiv 2501.00656): norms behind the attention and the MLP instead of before, and over all heads of
// q and k together.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::olmo2 {
namespace {

constexpr Key kWindow = {"", "attention.sliding_window"};

Result<ModelSpec> read(const Source& source) {
  // llama.cpp keeps OLMo 3 under the same name.
  if (source.hparams.has(kWindow))
    return fail(ErrorCode::kUnsupported, "{}: OLMo 3 is not read", source.hparams.spelling(kWindow));
  DecoderTraits traits{
      .default_epsilon = 1e-5, .query_key_norm = QueryKeyNorm::kRmsOverAllHeads, .default_context = 2048};
  traits.names.mixer_norm = {};
  traits.names.mixer_post_norm = {"post_attention_layernorm", "post_attention_norm"};
  traits.names.channel_norm = {};
  traits.names.channel_post_norm = {"post_feedforward_layernorm", "post_ffw_norm"};
  return readDecoder(source, traits);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"olmo2"}, .gguf_names = {"olmo2"}, .read = read};

}  // namespace vitrine::core::arch::olmo2
