// dots.llm1 (arXiv 2506.05767): Qwen3's attention; experts chosen by sigmoid scores with a correction bias,
// as in DeepSeek-V3, beside shared ones; the first layers are dense.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::dots1 {
namespace {

constexpr Key kWindow = {"sliding_window", ""};
constexpr Key kFirstWindow = {"max_window_layers", ""};
constexpr Key kLayerTypes = {"layer_types", ""};
constexpr std::uint32_t kDefaultWindow = 4096, kDefaultFirstWindow = 62;
constexpr MoeTraits kMoe = {.scores = RouterScores::kSigmoid,
                            .epsilon = 1e-20f,
                            .correction = true,
                            .group_score = GroupScore::kTopTwoSum,
                            .shared = SharedExpert::kPlain};

Result<std::vector<std::uint32_t>> windows(const Hparams& hparams, std::uint32_t layers) {
  if (hparams.isGguf()) return ggufWindows(hparams, layers);
  const std::uint32_t otherwise = hparams.mentions(kWindow) ? 0 : kDefaultWindow;
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, otherwise, kLongestContext));
  if (hparams.has(kLayerTypes)) return typedWindows(hparams, layers, window);
  TRY_ASSIGN(const std::uint32_t first, hparams.countOrNone(kFirstWindow, kDefaultFirstWindow, kMostLayers));
  std::vector<std::uint32_t> windows(layers, 0);
  for (std::uint32_t i = first; i < layers; ++i) windows[i] = window;
  return windows;
}

Result<ModelSpec> read(const Source& source) {
  return readDecoder(source, {.query_key_norm = QueryKeyNorm::kRmsPerHead,
                              .default_kv_heads = 32,
                              .default_context = 2048,
                              .windows = windows,
                              .moe = &kMoe});
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"dots1"}, .gguf_names = {"dots1"}, .read = read};

}  // namespace vitrine::core::arch::dots1
