// Llama 1 to 3 (arXiv 2302.13971, 2307.09288, 2407.21783) and what shares its shape: Mistral (arXiv
// 2310.06825), Mixtral (arXiv 2401.04088), SmolLM2, TinyLlama. llama.cpp converts all of them to its
// architecture "llama" and reorders the rows of q and k so that rotary pairs are neighbours.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::llama {
namespace {

constexpr Key kWindow = {"sliding_window", ""};
constexpr Key kModelType = {"model_type", ""};
constexpr std::uint32_t kMistralKvHeads = 8, kMistralContext = 131'072, kMistralWindow = 4096;
constexpr std::uint32_t kLlamaContext = 2048;
constexpr Key kExperts = {"", "expert_count"};

constexpr MoeTraits kMixtral = {.router = "block_sparse_moe.gate",
                                .experts = "block_sparse_moe.experts",
                                .gate = "w1",
                                .up = "w3",
                                .down = "w2",
                                .width = {"intermediate_size", "feed_forward_length"},
                                .normalize_hf = true,
                                .normalize_gguf = true};

Result<std::vector<std::uint32_t>> mistralWindows(const Hparams& hparams, std::uint32_t layers) {
  // null means "none"; absent means the default.
  const std::uint32_t otherwise = hparams.mentions(kWindow) ? 0 : kMistralWindow;
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, otherwise, kLongestContext));
  return std::vector<std::uint32_t>(layers, window);
}

Result<std::vector<std::uint32_t>> mixtralWindows(const Hparams& hparams, std::uint32_t layers) {
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, 0, kLongestContext));
  return std::vector<std::uint32_t>(layers, window);
}

Result<ModelSpec> read(const Source& source) {
  DecoderTraits traits{.gguf_pairing = RopePairing::kInterleaved, .default_context = kLlamaContext};
  TRY_ASSIGN(const std::string model_type, source.hparams.textOr(kModelType, "llama"));
  if (model_type == "mistral") {
    traits.attention_bias = AttentionBias::kNone;
    traits.default_kv_heads = kMistralKvHeads;
    traits.default_context = kMistralContext;
    traits.windows = mistralWindows;
  }
  if (model_type == "mixtral") {
    traits.attention_bias = AttentionBias::kNone;
    traits.default_kv_heads = kMistralKvHeads;
    traits.default_context = kMistralContext;
    traits.windows = mixtralWindows;
    traits.moe = &kMixtral;
  }
  TRY_ASSIGN(const std::uint32_t experts, source.hparams.countOrNone(kExperts, 0, kMostHeads));
  if (experts > 0) traits.moe = &kMixtral;  // in a GGUF file
  return readDecoder(source, traits);
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {
    .model_types = {"llama", "mistral", "mixtral"}, .gguf_names = {"llama"}, .read = read};

}  // namespace vitrine::core::arch::llama
