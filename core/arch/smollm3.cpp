// SmolLM3: a Llama in which every fourth layer has no positions (NoPE, arXiv 2501.18795).

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::smollm3 {
namespace {

constexpr Key kRopeLayers = {"no_rope_layers", ""};  // 1 where there *are* rotary embeddings
constexpr Key kInterval = {"no_rope_layer_interval", ""};
constexpr Key kUseWindow = {"use_sliding_window", ""};
constexpr Key kLayerTypes = {"layer_types", ""};

// Which layers have rotary embeddings.
Result<std::vector<bool>> ropeLayers(const Hparams& hparams, std::size_t layers) {
  std::vector<bool> with;
  if (hparams.has(kRopeLayers)) {
    TRY_ASSIGN(const std::vector<std::uint32_t> flags, hparams.numbers(kRopeLayers, layers, 1));
    with.assign(flags.begin(), flags.end());
    return with;
  }
  TRY_ASSIGN(const std::uint32_t interval, hparams.countOr(kInterval, 4, kMostLayers));
  for (std::size_t layer = 0; layer < layers; ++layer) with.push_back((layer + 1) % interval != 0);
  return with;
}

Result<ModelSpec> read(const Source& source) {
  TRY_ASSIGN(const bool windows, source.hparams.flagOr(kUseWindow, false));
  if (windows && !source.hparams.has(kLayerTypes))
    return source.hparams.refuse(kLayerTypes, "a list of layers where use_sliding_window is set");
  TRY_ASSIGN(ModelSpec spec, readDecoder(source, {.gguf_pairing = RopePairing::kInterleaved,
                                                  .default_kv_heads = 4,
                                                  .default_context = 32'768,
                                                  .default_theta = 2'000'000,
                                                  .windows = qwenWindows}));
  TRY_ASSIGN(const std::vector<bool> with, ropeLayers(source.hparams, spec.blocks.size()));
  forEachAttention(spec, [&](AttentionSpec& attention, std::uint32_t layer) {
    if (!with[layer]) attention.rope.reset();
  });
  return spec;
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"smollm3"}, .gguf_names = {"smollm3"}, .read = read};

}  // namespace vitrine::core::arch::smollm3
