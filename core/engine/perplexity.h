// Perplexity of a text by llama-perplexity's convention: windows of `context` tokens that do not overlap,
// each with an empty cache and the beginning-of-text token in place of its first where the model wants one;
// the last context - 1 - context / 2 predictions of each window are scored.
#pragma once

#include <functional>
#include <vector>

#include "core/engine/session.h"

namespace vitrine::core {

struct PerplexityOptions {
  std::uint32_t context = 512;
  std::uint32_t windows = 0;  // 0: as many as the text has
  CacheType cache = CacheType::kF16;
};

struct Perplexity {
  double value = 0;
  std::vector<double> running;  // after each window
  std::uint64_t tokens = 0;     // scored
};

// log of the sum of exp of logits, in double precision: log p of token i is row[i] less that.
double logSumExp(std::span<const float> row);

// `on_window` sees the running value after each window. kInvalidArgument when the text is shorter than one
// window.
Result<Perplexity> measurePerplexity(
    std::shared_ptr<const Model> model, const Tokenizer& tokenizer, std::string_view text,
    const PerplexityOptions& options,
    const std::function<void(std::uint32_t done, std::uint32_t total, double)>& on_window,
    std::stop_token stop = {});

}  // namespace vitrine::core
