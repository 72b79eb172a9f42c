// Qwen3, mixtures (arXiv 2505.09388): Qwen3's attention, experts without a shared one.
#include "core/arch/support/decoder.h"

namespace vitrine::core::arch::qwen3_moe {
namespace {

constexpr Key kWindow = {"sliding_window", ""};
constexpr Key kUseWindow = {"use_sliding_window", ""};
constexpr std::uint32_t kDefaultWindow = 4096;
constexpr MoeTraits kMoe = {.normalize_gguf = true};

// One window for all layers, or none.
Result<std::vector<std::uint32_t>> windows(const Hparams& hparams, std::uint32_t layers) {
  if (hparams.isGguf()) return ggufWindows(hparams, layers);
  TRY_ASSIGN(const bool use, hparams.flagOr(kUseWindow, false));
  if (!use) return std::vector<std::uint32_t>(layers, 0);
  const std::uint32_t otherwise = hparams.mentions(kWindow) ? 0 : kDefaultWindow;
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, otherwise, kLongestContext));
  return std::vector<std::uint32_t>(layers, window);
}

Result<ModelSpec> read(const Source& source) {
  return readDecoder(source, {.query_key_norm = QueryKeyNorm::kRmsPerHead,
                              .default_kv_heads = 4,
                              .default_context = 32'768,
                              .windows = windows,
                              .moe = &kMoe});
}

}  // namespace

extern const Architecture kArchitecture;
const Architecture kArchitecture = {.model_types = {"qwen3_moe"}, .gguf_names = {"qwen3moe"}, .read = read};

}  // namespace vitrine::core::arch::qwen3_moe
