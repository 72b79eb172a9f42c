// Why a factorized output-value product generalizes: the recall task of Huang et al., "Generalization or
// hallucination? Understanding out-of-context reasoning in transformers", arXiv:2506.10887, in double
// precision. There are n facts b_k with an implication c_k each and, for each fact, `trained` subjects of
// which both (s, fact) -> b_k and (s, implication) -> c_k are shown, and `unseen` ones of which only the
// first is. The model is one layer of linear attention that looks at subject and relation:
//   logits = W (e_s + e_relation), W (2 n, S + 2): rows b_1 .. b_n, c_1 .. c_n, columns subjects, the two
//   relations,
// trained by full gradient descent on the mean cross-entropy over all 2 n outputs,
//   combined    of W itself, from zero: tends to the least ||W||_F for its margin, and by symmetry prefers no
//               implication of an unseen subject
//   factorized  of W_O (2 n, h) and W_V (S + 2, h), W = W_O W_V^T, from small random numbers: tends to the
//               least ||W||_* for its margin, and fills the unseen block.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/spectra/full_svd.h"

namespace vitrine::core {

struct RecallTask {
  int facts = 4, trained = 3, unseen = 1;  // subjects of each fact
  int steps = 4'000;
  double rate = 0.5;
  double initial = 0.01;  // deviation of the factors' elements
  std::uint64_t seed = 1;

  int subjects() const { return facts * (trained + unseen); }
  bool isUnseen(int subject) const { return subject % (trained + unseen) >= trained; }
  int factOf(int subject) const { return subject / (trained + unseen); }
};

struct RecallState {
  int step = 0;
  double loss = 0;
  double margin = 0;  // the least over the examples of the answer's logit less the greatest other
  double nuclear = 0, frobenius = 0, effective_rank = 0;  // of W
  // Over unseen subjects: the implication's logit less the mean of the other implications'; the share whose
  // implication has the greatest logit of all, ties counting as misses.
  double preference = 0, accuracy = 0;
};

struct RecallRun {
  Eigen::MatrixXd w;
  std::vector<RecallState> states;  // at steps 1, 2, 5, 10, 20 .. and the last one
};

enum class RecallForm { kCombined, kFactorized };

// kInvalidArgument for sizes or steps below 1 (facts below 2); kCancelled, between steps; fullSvd's errors.
Result<RecallRun> trainRecall(const RecallTask& task, RecallForm form, const std::stop_token& stop = {});

}  // namespace vitrine::core
