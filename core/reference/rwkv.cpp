// RWKV's time and channel mixing, token by token as the papers define them.
#include <algorithm>
#include <cmath>

#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;
using Vector = Eigen::VectorXd;

Result<Vector> vectorOf(const WeightRef& weight) {
  TRY_ASSIGN(const Matrix stored, expandWeights(weight));
  return Vector(stored.col(0));
}

enum class Mix { kThis, kPast };

// Before the first token there are zeros.
Result<Matrix> shift(const Matrix& x, const WeightRef& mix, Mix part) {
  TRY_ASSIGN(Vector present, vectorOf(mix));
  if (part == Mix::kPast) present = Vector::Ones(present.size()) - present;
  Matrix y(x.rows(), x.cols());
  for (Index t = 0; t < x.rows(); ++t)
    for (Index i = 0; i < x.cols(); ++i)
      y(t, i) = present(i) * x(t, i) + (1 - present(i)) * (t > 0 ? x(t - 1, i) : 0);
  return y;
}

// outer(f(inner(x)))
template <typename F>
Result<Matrix> lowRank(const LowRank& spec, const Matrix& x, F f) {
  TRY_ASSIGN(const Matrix inner, apply(spec.inner, x));
  return apply(spec.outer, Matrix(inner.unaryExpr(f)));
}

double identity(double x) {
  return x;
}

}  // namespace

Result<Matrix> mix(const Rwkv4Spec& spec, const Matrix& x, ReferenceLayer& layer) {
  TRY_ASSIGN(const Matrix for_key, shift(x, spec.mix_key, Mix::kThis));
  TRY_ASSIGN(const Matrix for_value, shift(x, spec.mix_value, Mix::kThis));
  TRY_ASSIGN(const Matrix for_receptance, shift(x, spec.mix_receptance, Mix::kThis));
  TRY_ASSIGN(const Matrix key, apply(spec.key, for_key));
  TRY_ASSIGN(const Matrix value, apply(spec.value, for_value));
  TRY_ASSIGN(const Matrix receptance, apply(spec.receptance, for_receptance));
  TRY_ASSIGN(Vector decay, vectorOf(spec.decay));
  if (spec.decay_is_log) decay = -decay.array().exp();
  TRY_ASSIGN(const Vector first, vectorOf(spec.first));
  constexpr double kNothing = -1e38;  // the exponent of an empty sum
  Matrix y(x.rows(), key.cols());
  layer.state = Matrix::Zero(3, key.cols());
  layer.state.row(2).setConstant(kNothing);
  layer.decay = decay.array().exp().matrix().transpose().replicate(x.rows(), 1);
  for (Index t = 0; t < x.rows(); ++t)
    for (Index i = 0; i < key.cols(); ++i) {
      double &a = layer.state(0, i), &b = layer.state(1, i), &most = layer.state(2, i);
      const double k = key(t, i), v = value(t, i), w = decay(i);
      const double now = std::max(most, k + first(i));
      const double old_part = std::exp(most - now), new_part = std::exp(k + first(i) - now);
      y(t, i) = sigmoid(receptance(t, i)) * (old_part * a + new_part * v) / (old_part * b + new_part);
      const double next = std::max(most + w, k);
      const double kept = std::exp(most + w - next), added = std::exp(k - next);
      a = kept * a + added * v;
      b = kept * b + added;
      most = next;
    }
  return apply(spec.output, y);
}

Result<Matrix> mix(const Rwkv7Spec& spec, const Matrix& x, ReferenceLayer& layer) {
  std::vector<Matrix> in;  // of r, w, k, v, a, g
  for (const WeightRef& part : spec.mixes) {
    TRY_ASSIGN(Matrix one, shift(x, part, Mix::kPast));
    in.push_back(std::move(one));
  }
  TRY_ASSIGN(const Matrix r, apply(spec.receptance, in[0]));
  TRY_ASSIGN(const Matrix decay, lowRank(spec.decay, in[1], [](double v) { return std::tanh(v); }));
  TRY_ASSIGN(Matrix k, apply(spec.key, in[2]));
  TRY_ASSIGN(Matrix v, apply(spec.value, in[3]));
  TRY_ASSIGN(const Matrix rate, lowRank(spec.rate, in[4], &identity));
  TRY_ASSIGN(const Matrix gate, lowRank(spec.gate, in[5], &sigmoid));
  if (spec.residual) {
    TRY_ASSIGN(const Matrix residual, lowRank(*spec.residual, in[3], &identity));
    if (!layer.first_values)
      return fail(ErrorCode::kInvalidFile, "a value residual without a first block to take values from");
    v.array() += (*layer.first_values - v).array() * residual.unaryExpr(&sigmoid).array();
  } else {
    layer.first_values = std::make_shared<const Matrix>(v);
  }
  const Matrix w = (-std::exp(-0.5) * decay.unaryExpr(&sigmoid).array()).exp().matrix();
  layer.decay = w;
  const Matrix a = rate.unaryExpr(&sigmoid);
  TRY_ASSIGN(const Vector key_scale, vectorOf(spec.key_scale));
  TRY_ASSIGN(const Vector key_rate, vectorOf(spec.key_rate));
  TRY_ASSIGN(const Vector bonus, vectorOf(spec.bonus));
  Matrix q = (k.array().rowwise() * key_scale.transpose().array()).matrix();
  k.array() *= 1 + (a.array() - 1).rowwise() * key_rate.transpose().array();
  const Index head_dim = spec.head_dim;
  Matrix y(x.rows(), x.cols());
  layer.state = Matrix::Zero(x.cols(), head_dim);
  for (Index head = 0; head < spec.heads; ++head) {
    auto s = layer.state.middleRows(head * head_dim, head_dim);
    const auto of = [&](const auto& m, Index t) -> Vector {
      return m.row(t).segment(head * head_dim, head_dim).transpose();
    };
    for (Index t = 0; t < x.rows(); ++t) {
      const Vector unit = of(q, t) / std::max(of(q, t).norm(), 1e-12);
      s = (s * of(w, t).asDiagonal() - (s * unit) * (unit.cwiseProduct(of(a, t))).transpose() +
           of(v, t) * of(k, t).transpose())
              .eval();
      y.row(t).segment(head * head_dim, head_dim) = (s * of(r, t)).transpose();
    }
  }
  Norm plain = spec.norm;
  plain.weight = plain.bias = {};
  TRY_ASSIGN(y, apply(plain, std::move(y), head_dim));
  TRY_ASSIGN(const Vector gain, vectorOf(spec.norm.weight));
  TRY_ASSIGN(const Vector bias, vectorOf(spec.norm.bias));
  for (Index t = 0; t < x.rows(); ++t)
    for (Index i = 0; i < x.cols(); ++i) {
      const Index head = i / head_dim * head_dim;
      const double extra =
          (r.row(t).array() * k.row(t).array() * bonus.transpose().array()).segment(head, head_dim).sum();
      y(t, i) = (y(t, i) * gain(i) + bias(i) + extra * v(t, i)) * gate(t, i);
    }
  return apply(spec.output, y);
}

Result<Matrix> mix(const RwkvChannelSpec& spec, const Matrix& x, ReferenceLayer&) {
  const Mix part = spec.mixes_past ? Mix::kPast : Mix::kThis;
  TRY_ASSIGN(const Matrix for_key, shift(x, spec.mixes[0], part));
  TRY_ASSIGN(Matrix key, apply(spec.key, for_key));
  key = key.cwiseMax(0).cwiseAbs2().eval();
  TRY_ASSIGN(Matrix value, apply(spec.value, key));
  if (spec.receptance) {
    TRY_ASSIGN(const Matrix for_receptance, shift(x, spec.mixes[1], part));
    TRY_ASSIGN(const Matrix receptance, apply(*spec.receptance, for_receptance));
    value.array() *= receptance.unaryExpr(&sigmoid).array();
  }
  return value;
}

}  // namespace vitrine::core
