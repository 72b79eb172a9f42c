// Mixtures of experts in double precision: each token on its own, each chosen expert in turn.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;
using Row = Eigen::RowVectorXd;

Row softmax(const Row& logits) {
  const Row exponentials = (logits.array() - logits.maxCoeff()).exp().matrix();
  return exponentials / exponentials.sum();
}

// The `count` largest, largest first; of equal values the first.
std::vector<Index> largest(const Row& values, Index count) {
  std::vector<Index> order(static_cast<std::size_t>(values.size()));
  std::iota(order.begin(), order.end(), Index{0});
  std::ranges::stable_sort(order, std::greater<>(), [&values](Index i) { return values(i); });
  order.resize(static_cast<std::size_t>(count));
  return order;
}

double groupScore(GroupScore kind, Row values) {
  std::ranges::sort(values, std::greater<>());
  return kind == GroupScore::kTopTwoSum && values.size() > 1 ? values(0) + values(1) : values(0);
}

// Experts of all but the best groups get minus infinity.
void leaveBestGroups(const RouterSpec& router, Row& choice) {
  if (router.groups == 1) return;
  const Index groups = router.groups, size = choice.size() / groups;
  Row scores(groups), left = Row::Constant(choice.size(), -std::numeric_limits<double>::infinity());
  for (Index group = 0; group < groups; ++group)
    scores(group) = groupScore(router.group_score, choice.segment(group * size, size));
  for (const Index group : largest(scores, router.top_groups))
    left.segment(group * size, size) = choice.segment(group * size, size);
  choice = left;
}

struct Chosen {
  std::vector<Index> experts;
  Row weights;
};

Chosen choose(const RouterSpec& router, const Row& correction, const Row& logits) {
  Row scores = logits;
  if (router.scores == RouterScores::kSoftmax) scores = softmax(logits);
  if (router.scores == RouterScores::kSigmoid)
    scores = logits.unaryExpr([](double v) { return 1 / (1 + std::exp(-v)); });
  Row choice = scores + correction;
  leaveBestGroups(router, choice);
  Chosen chosen{largest(choice, router.top_k), Row(router.top_k)};
  for (Index k = 0; k < chosen.weights.size(); ++k)
    chosen.weights(k) = scores(chosen.experts[static_cast<std::size_t>(k)]);
  if (router.scores == RouterScores::kChosenSoftmax) chosen.weights = softmax(chosen.weights);
  if (router.normalize) chosen.weights /= chosen.weights.sum() + static_cast<double>(router.epsilon);
  chosen.weights *= static_cast<double>(router.scale);
  return chosen;
}

double glu(const MoeSpec& spec, double gate, double up) {
  if (!spec.clamped) return activate(spec.activation, gate) * up;
  const double limit = spec.clamped->limit, g = std::min(gate, limit);
  return g / (1 + std::exp(-spec.clamped->alpha * g)) * (std::clamp(up, -limit, limit) + 1);
}

Result<Matrix> runExpert(const MoeSpec& spec, const ExpertSpec& expert, const Matrix& x) {
  const Index width = spec.width;
  Matrix gate, up;
  if (expert.gate_up) {
    TRY_ASSIGN(const Matrix both, apply(*expert.gate_up, x));
    gate = both(Eigen::all, Eigen::seqN(0, width, 2));
    up = both(Eigen::all, Eigen::seqN(1, width, 2));
  } else {
    TRY_ASSIGN(gate, apply(*expert.gate, x));
    TRY_ASSIGN(up, apply(*expert.up, x));
  }
  return apply(expert.down,
               gate.binaryExpr(up, [&spec](double g, double u) { return glu(spec, g, u); }).eval());
}

}  // namespace

Result<ReferenceMatrix> mix(const MoeSpec& spec, const ReferenceMatrix& x, ReferenceLayer& layer) {
  TRY_ASSIGN(layer.router, apply(spec.router.linear, x));
  Row correction = Row::Zero(layer.router.cols());
  if (spec.router.correction) {
    TRY_ASSIGN(const Matrix stored, expandWeights(spec.router.correction));
    correction = stored.col(0).transpose();
  }
  Matrix y = Matrix::Zero(x.rows(), x.cols());
  for (Index token = 0; token < x.rows(); ++token) {
    const Chosen chosen = choose(spec.router, correction, layer.router.row(token));
    for (std::size_t k = 0; k < chosen.experts.size(); ++k) {
      const ExpertSpec& expert = spec.experts[static_cast<std::size_t>(chosen.experts[k])];
      TRY_ASSIGN(const Matrix out, runExpert(spec, expert, x.row(token)));
      y.row(token) += chosen.weights(static_cast<Index>(k)) * out.row(0);
    }
  }
  if (spec.shared) {
    TRY_ASSIGN(Matrix shared, mix(*spec.shared, x, layer));
    if (spec.shared_gate) {
      TRY_ASSIGN(const Matrix gate, apply(*spec.shared_gate, x));
      for (Index token = 0; token < x.rows(); ++token) shared.row(token) /= 1 + std::exp(-gate(token, 0));
    }
    y += shared;
  }
  return y;
}

}  // namespace vitrine::core
