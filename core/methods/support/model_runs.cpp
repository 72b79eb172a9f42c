#include "core/methods/support/model_runs.h"

#include <algorithm>
#include <cmath>

#include "core/engine/attention_views.h"
#include "core/engine/memory_budget.h"
#include "core/engine/perplexity.h"

namespace vitrine::core::methods {
namespace {

constexpr std::uint64_t kQueryStoreBytes = std::uint64_t{8} << 30;  // every query has a row in the maps

// In numbers that are as exact as the engine has them.
SessionOptions readingOptions(std::size_t tokens, bool maps) {
  return {.context = static_cast<std::uint32_t>(tokens),
          .cache = CacheType::kF32,
          .probes = maps,
          .query_store_bytes = kQueryStoreBytes};
}

bool allFinite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

}  // namespace

Result<ReplacedWeights> tunedWeights(const FineTune& tune) {
  TRY_ASSIGN(ModelSpec spec, tune.tuned_spec());
  TRY_ASSIGN(ReplacedWeights weights, ReplacedWeights::of(std::move(spec)));
  for (const MatrixPair& pair : tune.pairs) {
    TRY_ASSIGN(const TunedMatrix matrix, pair.load());
    TRY(weights.set(pair.place, matrix.tuned));
  }
  return weights;
}

Result<LogitDrift> driftOf(std::span<const float> reference, std::span<const float> other,
                           std::size_t vocab) {
  VITRINE_ASSERT(reference.size() == other.size() && !reference.empty() && reference.size() % vocab == 0);
  if (!allFinite(reference) || !allFinite(other))
    return fail(ErrorCode::kInvalidFile, "the logits are not finite: the changed weights overflow");
  LogitDrift drift;
  const std::size_t tokens = reference.size() / vocab;
  for (std::size_t t = 0; t < tokens; ++t) {
    const auto p = reference.subspan(t * vocab, vocab), q = other.subspan(t * vocab, vocab);
    const double p_sum = logSumExp(p), q_sum = logSumExp(q);
    for (std::size_t i = 0; i < vocab; ++i) {
      const double log_p = p[i] - p_sum, difference = double{q[i]} - p[i];
      drift.kl += std::exp(log_p) * (log_p - (q[i] - q_sum));
      drift.most = std::max(drift.most, std::abs(difference));
      drift.scale = std::max(drift.scale, std::abs(double{p[i]}));
    }
    drift.changed += std::ranges::max_element(p) - p.begin() != std::ranges::max_element(q) - q.begin();
  }
  drift.kl = std::max(drift.kl, 0.0) / static_cast<double>(tokens);  // at rounding it may be below zero
  drift.changed /= static_cast<double>(tokens);
  return drift;
}

Result<ModelRuns> ModelRuns::open(const AnalysisInput& input, const Checkpoint& checkpoint) {
  if (input.stop.stop_requested()) return fail(ErrorCode::kCancelled, "cancelled before the model was run");
  ModelRuns runs(input);
  TRY_ASSIGN(runs.tokenizer_, Tokenizer::fromCheckpoint(checkpoint));
  TRY_ASSIGN(runs.device_, input.open_device());
  return runs;
}

Result<std::vector<TokenId>> ModelRuns::tokensOf(std::string_view text) const {
  TRY_ASSIGN(std::vector<TokenId> ids, tokenizer_->encodePrompt(text));
  ids.resize(std::min(ids.size(), kMostTokens));
  if (ids.size() < 2)
    return fail(ErrorCode::kInvalidArgument, "expected a text of two tokens or more, found {}", ids.size());
  return ids;
}

std::vector<std::string> ModelRuns::labelsOf(std::span<const TokenId> ids) const {
  std::vector<std::string> labels;
  for (const TokenId id : ids) labels.push_back(tokenizer_->display(id));
  return labels;
}

Result<std::shared_ptr<const Model>> ModelRuns::load(ModelSpec spec) const {
  const std::string name = spec.checkpoint->displayName();
  TRY(checkMemory(spec, readingOptions(kMostTokens, true), device_->memory().available,
                  device_->info().name));
  auto model = Model::load(*device_, std::move(spec), {}, input_->stop);
  if (!model) return within(fmt::format("loading {}", name), std::move(model).error());
  return std::move(*model);
}

Result<PromptReading> ModelRuns::read(const std::shared_ptr<const Model>& model, std::span<const TokenId> ids,
                                      std::span<const MapOf> maps) const {
  TRY_ASSIGN(const auto session, Session::create(model, readingOptions(ids.size(), !maps.empty())));
  Capture capture{.logits = true};
  TRY(session->prefill(ids, input_->stop, {}, &capture));
  PromptReading reading{.logits = std::move(capture.logit_rows), .maps = {}};
  if (maps.empty()) return reading;
  TRY_ASSIGN(const auto views, AttentionViews::create(*device_));
  for (const MapOf& map : maps) {
    TRY_ASSIGN(std::vector<float> matrix, views->matrix(*session, map.layer, map.head));
    reading.maps.push_back(std::move(matrix));
  }
  return reading;
}

Result<double> ModelRuns::perplexity(const std::shared_ptr<const Model>& model, std::string_view text,
                                     std::uint32_t window, std::uint32_t windows) const {
  const PerplexityOptions options{.context = window, .windows = windows, .cache = CacheType::kF32};
  TRY_ASSIGN(const Perplexity measured,
             measurePerplexity(model, *tokenizer_, text, options, {}, input_->stop));
  return measured.value;
}

}  // namespace vitrine::core::methods
