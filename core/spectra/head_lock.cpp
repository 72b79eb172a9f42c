#include "core/spectra/head_lock.h"

#include <Eigen/Core>
#include <cmath>
#include <numbers>

#include "core/spectra/dense_product.h"
#include "core/spectra/head_products.h"
#include "core/spectra/linear_matrix.h"
#include "core/spectra/orthonormal.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

MatrixXd randomOrthogonal(Index width, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  MatrixXd q = MatrixXd::NullaryExpr(width, width, [&] { return normal(random); });
  const auto r = factorQr(q);
  VITRINE_ASSERT(r.has_value());  // LAPACK refuses only what is not finite
  // Uniform where R's diagonal is positive.
  const Eigen::VectorXd signs = r->diagonal().unaryExpr([](double x) { return x < 0 ? -1.0 : 1.0; });
  return q * signs.asDiagonal();
}

// Invertible, and its inverse from the same factors.
HeadLock denseLock(Index width, double strength, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  const MatrixXd left = randomOrthogonal(width, random), right = randomOrthogonal(width, random);
  Eigen::VectorXd scale(width);
  for (double& value : scale) value = std::exp(strength * normal(random));
  return {left * scale.asDiagonal() * right.transpose(),
          right * scale.cwiseInverse().asDiagonal() * left.transpose()};
}

void setTurn(MatrixXd& matrix, Index a, Index b, double scale, double angle) {
  matrix(a, a) = matrix(b, b) = scale * std::cos(angle);
  matrix(a, b) = -scale * std::sin(angle);
  matrix(b, a) = scale * std::sin(angle);
}

Index kvOf(const AttentionSpec& attention, Index head) {
  return head / (attention.heads / attention.kv_heads);
}

}  // namespace

HeadLock randomHeadLock(std::uint32_t width, const Rope* rope, double strength, std::mt19937_64& random) {
  if (!rope) return denseLock(width, strength, random);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> angles(-std::numbers::pi, std::numbers::pi);
  HeadLock lock{MatrixXd::Zero(width, width), MatrixXd::Zero(width, width)};
  const auto pairs = static_cast<Index>(rope->inv_freq.size());
  for (Index i = 0; i < pairs; ++i) {
    const bool interleaved = rope->pairing == RopePairing::kInterleaved;
    const Index first = interleaved ? 2 * i : i, second = interleaved ? first + 1 : first + pairs;
    const double scale = std::exp(strength * normal(random)), angle = angles(random);
    setTurn(lock.a, first, second, scale, angle);
    setTurn(lock.inverse, first, second, 1 / scale, -angle);
  }
  if (const Index rest = Index{width} - 2 * pairs; rest > 0) {
    const HeadLock plain = denseLock(rest, strength, random);
    lock.a.bottomRightCorner(rest, rest) = plain.a;
    lock.inverse.bottomRightCorner(rest, rest) = plain.inverse;
  }
  return lock;
}

Result<AttentionMatrices> attentionMatrices(const AttentionSpec& attention) {
  AttentionMatrices matrices;
  TRY_ASSIGN(matrices.query, expandLinear(attention.query));
  TRY_ASSIGN(matrices.key, expandLinear(attention.key));
  TRY_ASSIGN(matrices.value, expandLinear(attention.value));
  TRY_ASSIGN(matrices.output, expandLinear(attention.output));
  return matrices;
}

std::string reasonAgainstLock(const AttentionSpec& attention, bool of_scores) {
  if (attention.latent) return "it attends over a latent, in whose basis nothing is free";
  return reasonAgainst(attention, of_scores ? ProductKind::kQk : ProductKind::kOv);
}

AttentionLocks randomLocks(const AttentionSpec& attention, double strength, std::mt19937_64& random) {
  AttentionLocks locks;
  const Rope* rope = attention.rope ? &*attention.rope : nullptr;
  for (std::uint32_t g = 0; g < attention.kv_heads; ++g) {
    if (reasonAgainstLock(attention, true).empty())
      locks.qk.push_back(randomHeadLock(attention.head_dim, rope, strength, random));
    if (reasonAgainstLock(attention, false).empty())
      locks.vo.push_back(randomHeadLock(attention.head_dim, nullptr, strength, random));
  }
  return locks;
}

AttentionMatrices locked(const AttentionSpec& attention, const AttentionMatrices& matrices,
                         const AttentionLocks& locks) {
  AttentionMatrices to = matrices;
  const auto width = static_cast<Index>(attention.head_dim);
  for (Index h = 0; h < Index{attention.heads}; ++h) {
    const auto g = static_cast<std::size_t>(kvOf(attention, h));
    if (!locks.qk.empty())
      to.query.middleRows(h * width, width) = multiply(
          locks.qk[g].a, matrices.query.middleRows(h * width, width), Side::kTransposed, Side::kAsIs);
    if (!locks.vo.empty())
      to.output.middleCols(h * width, width) =
          multiply(matrices.output.middleCols(h * width, width), locks.vo[g].inverse);
  }
  for (Index g = 0; g < Index{attention.kv_heads}; ++g) {
    const auto lock = static_cast<std::size_t>(g);
    if (!locks.qk.empty())
      to.key.middleRows(g * width, width) =
          multiply(locks.qk[lock].inverse, matrices.key.middleRows(g * width, width));
    if (!locks.vo.empty())
      to.value.middleRows(g * width, width) =
          multiply(locks.vo[lock].a, matrices.value.middleRows(g * width, width));
  }
  return to;
}

namespace {

// [W b]: a lock multiplies rows, a bias is one column more.
Result<MatrixXd> withBias(const Linear& linear, const MatrixXd& weight) {
  MatrixXd both(weight.rows(), weight.cols() + 1);
  both.leftCols(weight.cols()) = weight;
  both.rightCols(1).setZero();
  if (linear.bias) {
    TRY_ASSIGN(both.rightCols(1), expandBase(linear.bias));
  }
  return both;
}

Result<void> setWithBias(const Linear& linear, const MatrixXd& both, ReplacedWeights& to) {
  TRY(to.set(linear.weight, both.leftCols(both.cols() - 1)));
  return linear.bias ? to.set(linear.bias, both.rightCols(1)) : Result<void>();
}

}  // namespace

Result<void> setLocked(const AttentionSpec& attention, const AttentionLocks& locks, ReplacedWeights& to) {
  TRY_ASSIGN(AttentionMatrices matrices, attentionMatrices(attention));
  TRY_ASSIGN(matrices.query, withBias(attention.query, matrices.query));
  TRY_ASSIGN(matrices.key, withBias(attention.key, matrices.key));
  TRY_ASSIGN(matrices.value, withBias(attention.value, matrices.value));
  const AttentionMatrices changed = locked(attention, matrices, locks);
  TRY(setWithBias(attention.query, changed.query, to));
  TRY(setWithBias(attention.key, changed.key, to));
  TRY(setWithBias(attention.value, changed.value, to));
  return to.set(attention.output.weight, changed.output);
}

AttentionMatrices averaged(const AttentionMatrices& a, const AttentionMatrices& b) {
  return {(a.query + b.query) / 2, (a.key + b.key) / 2, (a.value + b.value) / 2, (a.output + b.output) / 2};
}

LowRankProduct qkProduct(const AttentionSpec& attention, const AttentionMatrices& matrices,
                         std::uint32_t head, std::int64_t offset) {
  const auto width = static_cast<Index>(attention.head_dim);
  MatrixXd left = matrices.query.middleRows(Index{head} * width, width).transpose();
  if (attention.rope) left = multiply(left, rotation(*attention.rope, attention.head_dim, offset));
  return {std::move(left), matrices.key.middleRows(kvOf(attention, head) * width, width)};
}

LowRankProduct ovProduct(const AttentionSpec& attention, const AttentionMatrices& matrices,
                         std::uint32_t head) {
  const auto width = static_cast<Index>(attention.head_dim);
  return {matrices.output.middleCols(Index{head} * width, width),
          matrices.value.middleRows(kvOf(attention, head) * width, width)};
}

Result<double> distanceOf(const LowRankProduct& a, const LowRankProduct& b) {
  MatrixXd left(a.left.rows(), a.left.cols() + b.left.cols());
  MatrixXd right(a.right.cols(), left.cols());
  left << a.left, -b.left;
  right << a.right.transpose(), b.right.transpose();
  TRY_ASSIGN(const MatrixXd r_left, triangularFactor(left));
  TRY_ASSIGN(const MatrixXd r_right, triangularFactor(right));
  return multiply(r_left, r_right, Side::kAsIs, Side::kTransposed).norm();
}

}  // namespace vitrine::core
