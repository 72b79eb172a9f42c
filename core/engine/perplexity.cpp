#include "core/engine/perplexity.h"

#include <algorithm>
#include <cmath>

namespace vitrine::core {

double logSumExp(std::span<const float> row) {
  const double top = *std::ranges::max_element(row);
  double sum = 0;
  for (const float logit : row) sum += std::exp(logit - top);
  return top + std::log(sum);
}

Result<Perplexity> measurePerplexity(
    std::shared_ptr<const Model> model, const Tokenizer& tokenizer, std::string_view text,
    const PerplexityOptions& options,
    const std::function<void(std::uint32_t, std::uint32_t, double)>& on_window, std::stop_token stop) {
  if (options.context < 4)
    return fail(ErrorCode::kInvalidArgument, "--context: expected at least 4 tokens, found {}",
                options.context);
  TRY_ASSIGN(auto ids, tokenizer.encodePrompt(text));
  std::size_t available = ids.size() / options.context;
  if (available == 0)
    return fail(ErrorCode::kInvalidArgument,
                "the text has {} tokens, fewer than one window of {}: give a longer text or smaller windows",
                ids.size(), options.context);
  std::uint32_t windows = static_cast<std::uint32_t>(
      options.windows ? std::min<std::size_t>(options.windows, available) : available);
  std::size_t vocab = model->spec().vocab_size;
  TRY_ASSIGN(auto session, Session::create(model, {.context = options.context, .cache = options.cache}));
  Perplexity result;
  double sum = 0;
  for (std::uint32_t window = 0; window < windows; ++window) {
    std::vector<TokenId> part(ids.begin() + window * options.context,
                              ids.begin() + (window + 1) * options.context);
    if (tokenizer.addsBeginningOfText() && tokenizer.beginningOfText())
      part[0] = *tokenizer.beginningOfText();
    TRY(session->truncate(0));
    std::uint32_t first = options.context / 2;
    TRY(session->prefill(std::span(part).first(first), stop));
    Capture capture{.logits = true};
    TRY(session->prefill(std::span(part).subspan(first), stop, {}, &capture));
    for (std::uint32_t i = 0; first + i + 1 < options.context; ++i) {
      const auto row = std::span(capture.logit_rows).subspan(i * vocab, vocab);
      sum += logSumExp(row) - row[static_cast<std::size_t>(part[first + i + 1])];
      ++result.tokens;
    }
    result.running.push_back(std::exp(sum / static_cast<double>(result.tokens)));
    if (on_window) on_window(window + 1, windows, result.running.back());
  }
  result.value = result.running.back();
  if (!std::isfinite(result.value))
    return fail(ErrorCode::kInvalidFile,
                "the model's logits are not finite: its weights are damaged or overflow");
  return result;
}

}  // namespace vitrine::core
