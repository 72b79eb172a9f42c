// Gemma 3, its text model (arXiv 2503.19786): five layers with a window and a rotary table of their own to
// each that sees all; norms over the heads of q and k.

#include "core/arch/support/gemma.h"
#include "core/arch/support/rope.h"
#include "core/arch/support/rope_scaling.h"

namespace vitrine::core::arch::gemma3 {
namespace {

constexpr Key kRopes = {"rope_parameters", ""};
constexpr Key kLocalTheta = {"rope_local_base_freq", "rope.freq_base_swa"};
constexpr Key kScoreCap = {"attn_logit_softcapping", ""};
constexpr double kGlobalTheta = 1'000'000, kDefaultLocalTheta = 10'000;

Result<std::vector<std::uint32_t>> windows(const Hparams& hparams, std::uint32_t layers) {
  // A GGUF file without a window has none.
  return periodicWindows(hparams, layers, {.period = 6, .window = hparams.isGguf() ? 0u : 4096u});
}

// Older files have no table for the layers with a window, only its base.
Result<Rope> localRope(const Source& source, const ModelSpec& spec) {
  RopeShape shape{.rotary_dim = spec.blocks.front().attention()->head_dim,
                  .context_length = spec.context_length,
                  .layer_type = "sliding_attention"};
  if (source.hparams.hasTable(kRopes, shape.layer_type)) {
    TRY_ASSIGN(FoldedRope folded, readRope(source.hparams, source.weights, shape));
    return std::move(folded.rope);
  }
  TRY_ASSIGN(const double theta, source.hparams.positiveOr(kLocalTheta, kDefaultLocalTheta));
  return Rope{.rotary_dim = shape.rotary_dim, .inv_freq = plainFrequencies(theta, shape.rotary_dim)};
}

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits = gemmaTraits();
  traits.query_key_norm = QueryKeyNorm::kRmsPerHead;
  traits.default_context = 131'072;
  traits.default_theta = kGlobalTheta;
  traits.rope_layer_type = "full_attention";
  traits.windows = windows;
  if (source.hparams.has(kScoreCap))
    return fail(ErrorCode::kUnsupported, "{} is not implemented for this architecture",
                source.hparams.spelling(kScoreCap));
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, traits));
  TRY(finishGemma(source, {.layers_of_27b = 62}, spec));
  TRY_ASSIGN(const Rope local, localRope(source, spec));
  forEachAttention(spec, [&](AttentionSpec& attention, std::uint32_t) {
    if (attention.sliding_window != 0) attention.rope = local;
  });
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"gemma3_text"}, .gguf_names = {"gemma3"}, .read = read};

}  // namespace vitrine::core::arch::gemma3
