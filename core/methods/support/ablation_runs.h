// Fine-tunes with their change to some matrices switched off, run on a prompt beside the whole fine-tune.
#pragma once

#include <string>
#include <vector>

#include "core/methods/support/model_runs.h"

namespace vitrine::core::methods {

struct Ablation {
  std::string name;
  std::vector<bool> off;  // a pair of the fine-tune each: the base's matrix in its place
};

struct Ablated {
  LogitDrift drift;  // against the whole fine-tune
  double loss = 0;   // mean of -log p of the prompt's next token, in nats
};
struct AblatedTune {
  double loss = 0;          // of the whole fine-tune
  std::vector<Ablated> at;  // an ablation each
};
struct AblationRuns {
  std::size_t tokens = 0;
  std::vector<AblatedTune> tunes;
};

// `ablations`: of each of the input's fine-tunes, on its prompt. Tells progress by run. Errors of running.
Result<AblationRuns> runAblations(const AnalysisInput& input,
                                  const std::vector<std::vector<Ablation>>& ablations);

// Of logits (tokens, vocab): mean of -log p over all tokens but the first.
double nextTokenLoss(std::span<const float> logits, std::span<const TokenId> ids, std::size_t vocab);

}  // namespace vitrine::core::methods
