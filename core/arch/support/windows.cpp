// Sliding windows. transformers and llama.cpp agree: a query sees `sliding_window` keys, itself included.

#include "core/arch/support/decoder.h"

namespace vitrine::core::arch {
namespace {

constexpr Key kWindow = {"sliding_window", "attention.sliding_window"};
constexpr Key kPattern = {"", "attention.sliding_window_pattern"};
constexpr Key kUse = {"use_sliding_window", ""};
constexpr Key kFirstLayer = {"max_window_layers", ""};
constexpr Key kLayerTypes = {"layer_types", ""};
constexpr std::uint32_t kQwenWindow = 4096, kQwenFirstLayer = 28;  // where config.json leaves them out

}  // namespace

Result<std::vector<std::uint32_t>> typedWindows(const Hparams& hparams, std::uint32_t layers,
                                                std::uint32_t window) {
  static constexpr std::string_view kAllowed[] = {"full_attention", "sliding_attention"};
  TRY_ASSIGN(const std::vector<std::size_t> types, hparams.choices(kLayerTypes, layers, kAllowed));
  std::vector<std::uint32_t> windows;
  for (const std::size_t type : types) windows.push_back(type == 1 ? window : 0);
  return windows;
}

Result<std::vector<std::uint32_t>> commonWindow(const Hparams& hparams, std::uint32_t layers) {
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, 0, kLongestContext));
  return std::vector<std::uint32_t>(layers, window);
}

Result<std::vector<std::uint32_t>> periodicWindows(const Hparams& hparams, std::uint32_t layers,
                                                   PeriodicWindow otherwise) {
  if (!hparams.isGguf() && hparams.mentions(kWindow) && !hparams.has(kWindow))
    return hparams.refuse(kWindow, "a number of tokens");
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, otherwise.window, kLongestContext));
  if (hparams.has(kLayerTypes)) return typedWindows(hparams, layers, window);
  constexpr Key kPeriod = {"sliding_window_pattern", "attention.sliding_window_pattern"};
  TRY_ASSIGN(const std::uint32_t period, hparams.countOr(kPeriod, otherwise.period, kMostLayers));
  std::vector<std::uint32_t> windows(layers, window);
  for (std::uint32_t i = period - 1; i < layers; i += period) windows[i] = 0;
  return windows;
}

Result<std::vector<std::uint32_t>> ggufWindows(const Hparams& hparams, std::uint32_t layers) {
  if (!hparams.isGguf()) return std::vector<std::uint32_t>(layers, 0);
  if (hparams.has(kPattern))
    return fail(ErrorCode::kUnsupported, "{} is not read for this architecture", hparams.spelling(kPattern));
  TRY_ASSIGN(const std::uint32_t window, hparams.countOrNone(kWindow, 0, kLongestContext));
  return std::vector<std::uint32_t>(layers, window);
}

Result<std::vector<std::uint32_t>> qwenWindows(const Hparams& hparams, std::uint32_t layers) {
  if (hparams.isGguf()) return ggufWindows(hparams, layers);
  TRY_ASSIGN(const bool use, hparams.flagOr(kUse, false));
  std::uint32_t window = 0;
  if (use) {
    TRY_ASSIGN(window, hparams.countOrNone(kWindow, kQwenWindow, kLongestContext));
  }
  if (hparams.has(kLayerTypes)) return typedWindows(hparams, layers, window);
  TRY_ASSIGN(const std::uint32_t first, hparams.countOrNone(kFirstLayer, kQwenFirstLayer, kMostLayers));
  std::vector<std::uint32_t> windows(layers, 0);
  for (std::uint32_t i = first; i < layers; ++i) windows[i] = window;
  return windows;
}

}  // namespace vitrine::core::arch
