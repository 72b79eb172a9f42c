#include "core/methods/support/ablation_runs.h"

#include "core/engine/perplexity.h"
#include "core/spectra/replaced_weights.h"

namespace vitrine::core::methods {
namespace {

Result<ReplacedWeights> without(const FineTune& tune, ReplacedWeights weights, const Ablation& ablation) {
  VITRINE_ASSERT(ablation.off.size() == tune.pairs.size());
  for (std::size_t i = 0; i < tune.pairs.size(); ++i) {
    if (!ablation.off[i]) continue;
    TRY_ASSIGN(const TunedMatrix matrix, tune.pairs[i].load());
    TRY(weights.set(tune.pairs[i].place, matrix.base));
  }
  return weights;
}

}  // namespace

double nextTokenLoss(std::span<const float> logits, std::span<const TokenId> ids, std::size_t vocab) {
  VITRINE_ASSERT(ids.size() > 1 && logits.size() == ids.size() * vocab);
  double sum = 0;
  for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
    const auto row = logits.subspan(t * vocab, vocab);
    sum += logSumExp(row) - row[static_cast<std::size_t>(ids[t + 1])];
  }
  return sum / static_cast<double>(ids.size() - 1);
}

Result<AblationRuns> runAblations(const AnalysisInput& input,
                                  const std::vector<std::vector<Ablation>>& ablations) {
  TRY_ASSIGN(const ModelSpec base, input.tunes.front().base_spec());
  TRY_ASSIGN(const ModelRuns runs, ModelRuns::open(input, *base.checkpoint));
  TRY_ASSIGN(const std::vector<TokenId> ids, runs.tokensOf(input.prompt));
  std::size_t done = 0, all = input.tunes.size();
  for (const auto& of_tune : ablations) all += of_tune.size();
  const auto read = [&](const ReplacedWeights& weights) -> Result<std::vector<float>> {
    TRY_ASSIGN(ModelSpec spec, weights.spec());
    TRY_ASSIGN(const auto model, runs.load(std::move(spec)));
    TRY_ASSIGN(PromptReading reading, runs.read(model, ids));
    if (input.progress) input.progress(++done, all);
    return std::move(reading.logits);
  };
  AblationRuns found{.tokens = ids.size(), .tunes = {}};
  for (std::size_t t = 0; t < input.tunes.size(); ++t) {
    TRY_ASSIGN(const ReplacedWeights whole, tunedWeights(input.tunes[t]));
    TRY_ASSIGN(const std::vector<float> reference, read(whole));
    AblatedTune tune{.loss = nextTokenLoss(reference, ids, base.vocab_size), .at = {}};
    for (const Ablation& ablation : ablations[t]) {
      TRY_ASSIGN(const ReplacedWeights weights, without(input.tunes[t], whole, ablation));
      TRY_ASSIGN(const std::vector<float> logits, read(weights));
      TRY_ASSIGN(const LogitDrift drift, driftOf(reference, logits, base.vocab_size));
      tune.at.push_back({drift, nextTokenLoss(logits, ids, base.vocab_size)});
    }
    found.tunes.push_back(std::move(tune));
  }
  return found;
}

}  // namespace vitrine::core::methods
