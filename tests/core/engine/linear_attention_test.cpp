// Linear attention in the reference against its formula written out.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/engine/recurrent_examples.h"
#include "core/reference/reference_parts.h"
#include "support/gpu_fixture.h"

namespace vitrine::core::linear_attention_test {
namespace {

using namespace test_models;
using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// x W^T.
ReferenceMatrix times(const ReferenceMatrix& x, const ReferenceMatrix& weight) {
  ReferenceMatrix y(x.rows(), weight.rows());
  for (Eigen::Index t = 0; t < x.rows(); ++t)
    for (Eigen::Index row = 0; row < weight.rows(); ++row) {
      y(t, row) = 0;
      for (Eigen::Index i = 0; i < x.cols(); ++i) y(t, row) += x(t, i) * weight(row, i);
    }
  return y;
}

ReferenceMatrix matrixOf(const WeightRef& weight) {
  return test::expectValue(expandWeights(weight));
}

// As attention without a softmax: o(t) = sum over j <= t of e^(slope (j - t)) (q(t) k(j)) v(j).
TEST(LightningAttention, IsItsFormula) {
  const auto spec = test::expectValue(lightning(lightningExample()));
  const auto& mixer = std::get<LightningSpec>(spec.blocks[1].mixers[0]);
  constexpr int kTokens = 11, kHeads = 3, kDim = 13;
  const ReferenceMatrix x = ReferenceMatrix::Random(kTokens, kLinearWidth);
  // Of each head in turn: q, k, v.
  const ReferenceMatrix qkv = times(
      x, matrixOf({.tensor = mixer.query.weight.tensor, .rows = 3 * kHeads * kDim, .columns = kLinearWidth}));
  const ReferenceMatrix gate = times(x, matrixOf(mixer.gate.weight)), gain = matrixOf(mixer.norm.weight);
  ReferenceMatrix o = ReferenceMatrix::Zero(kTokens, kHeads * kDim);
  for (int head = 0; head < kHeads; ++head) {
    // The second of two layers: 1 - 1 / (1 + 1e-5) + 1e-5.
    const double slope = std::pow(2, -8.0 / kHeads * (head + 1)) * (1 - 1 / (1 + 1e-5) + 1e-5);
    const auto part = [&](int token, int which, int i) {
      return silu(qkv(token, (3 * head + which) * kDim + i));
    };
    for (int t = 0; t < kTokens; ++t)
      for (int j = 0; j <= t; ++j) {
        double product = 0;
        for (int i = 0; i < kDim; ++i) product += part(t, 0, i) * part(j, 1, i);
        for (int i = 0; i < kDim; ++i)
          o(t, head * kDim + i) += std::exp(slope * (j - t)) * product * part(j, 2, i);
      }
  }
  for (int t = 0; t < kTokens; ++t) {
    double squares = 0;
    for (int i = 0; i < kHeads * kDim; ++i) squares += o(t, i) * o(t, i);
    const double rms = std::sqrt(squares / (kHeads * kDim) + 1e-6);
    for (int i = 0; i < kHeads * kDim; ++i) o(t, i) *= gain(i, 0) / rms * sigmoid(gate(t, i));
  }
  const ReferenceMatrix expected = times(o, matrixOf(mixer.output.weight));
  ReferenceLayer layer;
  const auto found = test::expectValue(mix(mixer, x, layer));
  EXPECT_LT((found - expected).norm(), 1e-6 * expected.norm());  // slopes are kept in float32
}

// S(t) = d(t) S(t - 1) (I - beta k k^T) + beta v k^T, written as one product of transitions for each pair of
// tokens: o(t) = sum over j <= t of beta(j) v(j) k(j)^T M(j + 1) .. M(t) q(t), M = d (I - beta k k^T).
TEST(GatedDeltaNet, IsItsFormula) {
  const auto spec = test::expectValue(deltaNet(deltaNetExample()));
  const auto& mixer = std::get<DeltaNetSpec>(spec.blocks[0].mixers[0]);
  constexpr int kTokens = 8, kKeyHeads = 2, kShared = 3, kKeyDim = 13, kValueDim = 7, kKernel = 3;
  constexpr int kEach = 2 * kKeyDim + 2 * kShared * kValueDim, kKeys = kKeyHeads * kKeyDim;
  const ReferenceMatrix x = ReferenceMatrix::Random(kTokens, kLinearWidth);
  const ReferenceMatrix all = times(
      x, matrixOf({.tensor = mixer.query.weight.tensor, .rows = kKeyHeads * kEach, .columns = kLinearWidth}));
  const ReferenceMatrix ba = times(
      x, matrixOf(
             {.tensor = mixer.beta.weight.tensor, .rows = 2 * kKeyHeads * kShared, .columns = kLinearWidth}));
  const ReferenceMatrix taps = matrixOf(mixer.conv.weight), decay = matrixOf(mixer.decay);
  const ReferenceMatrix dt_bias = matrixOf(mixer.dt_bias), gain = matrixOf(mixer.norm.weight);
  const auto convolved = [&](int token, int column, int channel) {
    double sum = 0;
    for (int back = 0; back < kKernel && back <= token; ++back)
      sum += taps(channel, kKernel - 1 - back) * all(token - back, column);
    return silu(sum);
  };
  ReferenceMatrix o(kTokens, kKeyHeads * kShared * kValueDim);
  for (int head = 0; head < kKeyHeads * kShared; ++head) {
    const int group = head / kShared, within = head % kShared;
    const auto key = [&](int t, int from, int first_channel) {
      Vector u(kKeyDim);
      for (int i = 0; i < kKeyDim; ++i)
        u[i] = convolved(t, group * kEach + from + i, first_channel + group * kKeyDim + i);
      const double length = std::sqrt(dot(u, u) + 1e-6);
      for (double& one : u) one /= length;
      return u;
    };
    const auto value = [&](int t) {
      Vector v(kValueDim);
      for (int i = 0; i < kValueDim; ++i)
        v[i] = convolved(t, group * kEach + 2 * kKeyDim + within * kValueDim + i,
                         2 * kKeys + head * kValueDim + i);
      return v;
    };
    const auto beta = [&](int t) { return sigmoid(ba(t, group * 2 * kShared + within)); };
    const auto transition = [&](int t, Vector u) {
      const double a = ba(t, group * 2 * kShared + kShared + within) + dt_bias(head, 0);
      const double d = std::exp(-std::exp(decay(head, 0)) * std::log1p(std::exp(a)));
      const Vector k = key(t, kKeyDim, kKeys);
      const double part = beta(t) * dot(k, u);
      for (std::size_t i = 0; i < kKeyDim; ++i) u[i] = d * (u[i] - part * k[i]);
      return u;
    };
    for (int t = 0; t < kTokens; ++t) {
      Vector carried = key(t, 0, 0), sum(kValueDim, 0.0);
      for (double& one : carried) one /= std::sqrt(double{kKeyDim});
      for (int j = t; j >= 0; --j) {
        const Vector v = value(j);
        const double weight = beta(j) * dot(key(j, kKeyDim, kKeys), carried);
        for (std::size_t i = 0; i < kValueDim; ++i) sum[i] += weight * v[i];
        carried = transition(j, carried);
      }
      const double rms = std::sqrt(dot(sum, sum) / kValueDim + 1e-6);
      for (int i = 0; i < kValueDim; ++i) {
        const double z = all(t, group * kEach + 2 * kKeyDim + kShared * kValueDim + within * kValueDim + i);
        o(t, head * kValueDim + i) = sum[i] / rms * gain(i, 0) * silu(z);
      }
    }
  }
  const ReferenceMatrix expected = times(o, matrixOf(mixer.output.weight));
  ReferenceLayer layer;
  const auto found = test::expectValue(mix(mixer, x, layer));
  EXPECT_LT((found - expected).norm(), 1e-6 * expected.norm());  // epsilons are kept in float32
}

}  // namespace
}  // namespace vitrine::core::linear_attention_test
