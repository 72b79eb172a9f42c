// The running model in a method: variants of it loaded one after another on a device, what they say of a
// prompt, and how well they predict a text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/methods/analysis.h"
#include "core/model/model.h"
#include "core/spectra/replaced_weights.h"
#include "core/text/tokenizer.h"

namespace vitrine::core::methods {

struct MapOf {
  std::uint32_t layer = 0, head = 0;
};

struct PromptReading {
  std::vector<float> logits;             // (tokens, vocab)
  std::vector<std::vector<float>> maps;  // of each head that was asked for: (tokens, tokens), -1 masked
};

// How far a variant's predictions are from another's, over the tokens that both have read.
struct LogitDrift {
  double kl = 0;       // mean over the tokens of sum p log(p / q), p the reference's, in nats
  double most = 0;     // max |l' - l|, of the logits
  double scale = 0;    // max |l| of the reference
  double changed = 0;  // share of tokens after which another one is the most probable
};
// (tokens, vocab) both. kInvalidFile where a logit is not finite.
Result<LogitDrift> driftOf(std::span<const float> reference, std::span<const float> other, std::size_t vocab);

// A fine-tune with all matrices that are compared in float32, so that variants of it differ by nothing else.
// The errors of loading.
Result<ReplacedWeights> tunedWeights(const FineTune& tune);

class ModelRuns {
 public:
  // Opens the input's device; the tokenizer is that of `checkpoint`. The input outlives the runs. Errors of
  // both, kCancelled where it was stopped already.
  static Result<ModelRuns> open(const AnalysisInput& input, const Checkpoint& checkpoint);

  // At most kMostTokens of the text's first, with what the model wants around a prompt. kInvalidArgument for
  // fewer than two.
  static constexpr std::size_t kMostTokens = 256;
  Result<std::vector<TokenId>> tokensOf(std::string_view text) const;
  std::vector<std::string> labelsOf(std::span<const TokenId> ids) const;

  // Errors of loading, with the numbers where it does not fit; kCancelled.
  Result<std::shared_ptr<const Model>> load(ModelSpec spec) const;
  Result<PromptReading> read(const std::shared_ptr<const Model>& model, std::span<const TokenId> ids,
                             std::span<const MapOf> maps = {}) const;
  // Of the first `windows` windows of `window` tokens (core/engine/perplexity.h).
  Result<double> perplexity(const std::shared_ptr<const Model>& model, std::string_view text,
                            std::uint32_t window, std::uint32_t windows) const;

 private:
  explicit ModelRuns(const AnalysisInput& input) : input_(&input) {}

  const AnalysisInput* input_;
  std::shared_ptr<gpu::Device> device_;
  std::shared_ptr<const Tokenizer> tokenizer_;
};

// "window" and "windows" of methods that read texts.
inline constexpr Parameter kWindowParameter = {.name = "window",
                                               .fallback = 256,
                                               .least = 8,
                                               .most = 4'096,
                                               .unit = "tokens",
                                               .help = "of a text that are read at once; half are scored"};
inline constexpr Parameter kWindowsParameter = {
    .name = "windows", .fallback = 8, .least = 1, .most = 10'000, .unit = "", .help = "of each text"};

}  // namespace vitrine::core::methods
