// OLMoE (arXiv 2409.02060): many narrow experts, their softmax not normalized; RMS norms over all heads of q
// and of k together.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::olmoe {
namespace {

constexpr Key kClip = {"clip_qkv", "attention.clamp_kqv"};
constexpr MoeTraits kMoe = {.width = {"intermediate_size", "feed_forward_length"}};

Result<void> readHeadNorms(const Source& source, ModelSpec& spec) {
  const bool gguf = source.hparams.isGguf();
  const std::string_view prefix =
      gguf ? "blk." : (source.weights.has("embed_tokens.weight") ? "layers." : "model.layers.");
  for (std::size_t layer = 0; layer < spec.blocks.size(); ++layer) {
    BlockSpec& block = spec.blocks[layer];
    auto& attention = std::get<AttentionSpec>(block.mixers.front());
    const auto read = [&](std::string_view name, std::uint32_t heads) -> Result<Norm> {
      Norm norm;
      norm.epsilon = block.mixer_norm->epsilon;
      TRY_ASSIGN(norm.weight, source.weights.vector(fmt::format("{}{}.{}.weight", prefix, layer, name),
                                                    std::uint64_t{heads} * attention.head_dim));
      return norm;
    };
    TRY_ASSIGN(attention.query_norm, read(gguf ? "attn_q_norm" : "self_attn.q_norm", attention.heads));
    TRY_ASSIGN(attention.key_norm, read(gguf ? "attn_k_norm" : "self_attn.k_norm", attention.kv_heads));
  }
  return {};
}

Result<ModelSpec> read(const Source& source) {
  if (source.hparams.has(kClip))
    return fail(ErrorCode::kUnsupported, "{}: clipped queries, keys and values are not read",
                source.hparams.spelling(kClip));
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, {.default_context = 4096, .moe = &kMoe}));
  TRY(readHeadNorms(source, spec));
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"olmoe"}, .gguf_names = {"olmoe"}, .read = read};

}  // namespace vitrine::core::arch::olmoe
