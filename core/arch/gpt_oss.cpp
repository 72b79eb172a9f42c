// gpt-oss (OpenAI, arXiv 2508.10925): a sink in each head's softmax, windows in every other layer; experts
// with biases and a clamped activation, whose router's softmax goes over the chosen ones. Hugging Face's
// files keep the experts transposed; those of 4-bit floats (MXFP4) are refused as quantized. llama.cpp's
// stack them, in MXFP4 or otherwise, and say nothing of yarn's ramp, which the released models do not round.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::gpt_oss {
namespace {

constexpr Key kWindow = {"sliding_window", ""};
constexpr Key kLimit = {"swiglu_limit", ""};
constexpr std::uint32_t kDefaultWindow = 128;
constexpr double kDefaultLimit = 7;
constexpr MoeTraits kMoe = {.router = "mlp.router",
                            .fused_in = "mlp.experts.gate_up_proj",
                            .fused_out = "mlp.experts.down_proj",
                            .tensors = ExpertTensors::kTransposed,
                            .width = {"intermediate_size", "expert_feed_forward_length"},
                            .scores = RouterScores::kChosenSoftmax,
                            .biased = true};

Result<std::vector<std::uint32_t>> windows(const Hparams& hparams, std::uint32_t layers) {
  if (hparams.isGguf()) return periodicWindows(hparams, layers, {.period = 2, .window = kDefaultWindow});
  const std::uint32_t otherwise = hparams.mentions(kWindow) ? 0 : kDefaultWindow;
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, otherwise, kLongestContext));
  return typedWindows(hparams, layers, window);
}

Result<void> readSinks(const Source& source, ModelSpec& spec) {
  const bool gguf = source.hparams.isGguf(), bare = source.weights.has("embed_tokens.weight");
  const std::string_view prefix = gguf ? "blk." : bare ? "layers." : "model.layers.";
  const std::string_view name = gguf ? "attn_sinks.weight" : "self_attn.sinks";
  for (std::size_t layer = 0; layer < spec.blocks.size(); ++layer) {
    auto& attention = std::get<AttentionSpec>(spec.blocks[layer].mixers.front());
    TRY_ASSIGN(attention.sinks,
               source.weights.vector(fmt::format("{}{}.{}", prefix, layer, name), attention.heads));
  }
  return {};
}

Result<ModelSpec> read(const Source& source) {
  // What transformers takes where these are absent differs from other families; the released files have them.
  for (const Key key : {Key{"attention_bias", ""}, Key{"layer_types", ""}, Key{"head_dim", ""}})
    if (!source.hparams.isGguf() && !source.hparams.has(key)) return source.hparams.refuse(key, "given");
  TRY_ASSIGN(const double limit, source.hparams.positiveOr(kLimit, kDefaultLimit));
  MoeTraits moe = kMoe;
  moe.clamped = ClampedGlu{.alpha = 1.702f, .limit = static_cast<float>(limit)};
  DecoderTraits traits{.default_kv_heads = 8,
                       .default_context = 131'072,
                       .gguf_truncates = false,
                       .windows = windows,
                       .moe = &moe};
  traits.names.channel_norm.gguf = "post_attention_norm";
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  TRY(readSinks(source, spec));
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"gpt_oss"}, .gguf_names = {"gpt-oss"}, .read = read};

}  // namespace vitrine::core::arch::gpt_oss
