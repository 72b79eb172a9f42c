// mLSTM, lightning attention and gated DeltaNet, token by token as their papers define them.
#include <algorithm>
#include <cmath>

#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;
using Vector = Eigen::VectorXd;

// What head `head` of width `dim` has at token t.
Vector headOf(const Matrix& rows, Index t, Index head, Index dim) {
  return rows.row(t).segment(head * dim, dim).transpose();
}

// The norm without gain and bias of each head, then gain and bias of all columns.
Result<Matrix> normHeads(const Norm& norm, Matrix x, Index dim) {
  Norm plain = norm;
  plain.weight = plain.bias = {};
  TRY_ASSIGN(x, apply(plain, std::move(x), dim));
  TRY_ASSIGN(const Matrix gain, expandWeights(norm.weight));
  x.array().rowwise() *= gain.col(0).transpose().array();
  if (norm.bias) {
    TRY_ASSIGN(const Matrix bias, expandWeights(norm.bias));
    x.rowwise() += bias.col(0).transpose();
  }
  return x;
}

// Without gains and outputs: what a scan of one decay a head reads, each head with q and k of its own.
ReferenceLinearForm linearForm(std::uint32_t heads, const Matrix& q, const Matrix& k, const Matrix& v) {
  const Matrix gates = Matrix::Zero(q.rows(), heads);
  return {.heads = heads,
          .groups = heads,
          .queries = q,
          .keys = k,
          .log_decay = gates,
          .log_gain = gates,
          .values = v,
          .outputs = Matrix(v.rows(), v.cols())};
}

}  // namespace

Result<Matrix> mix(const MlstmSpec& spec, const Matrix& x, ReferenceLayer& layer) {
  TRY_ASSIGN(const Matrix q, apply(spec.query, x));
  TRY_ASSIGN(const Matrix k, apply(spec.key, x));
  TRY_ASSIGN(const Matrix v, apply(spec.value, x));
  TRY_ASSIGN(const Matrix o, apply(spec.output_gate, x));
  TRY_ASSIGN(const Matrix input, apply(spec.input_gate, x));
  TRY_ASSIGN(const Matrix forget, apply(spec.forget_gate, x));
  const Index keys = spec.key_dim, values = spec.value_dim;
  Matrix h(x.rows(), v.cols());
  const double scale = 1 / std::sqrt(static_cast<double>(keys));
  ReferenceLinearForm form = linearForm(spec.heads, q * scale, k, v);
  layer.state = Matrix::Zero(spec.heads * (values + 1), keys);
  for (Index head = 0; head < spec.heads; ++head) {
    auto s = layer.state.middleRows(head * (values + 1), values + 1);  // its last row is n
    double m = 0;
    for (Index t = 0; t < x.rows(); ++t) {
      const double i = softCap(input(t, head), spec.gate_soft_cap);
      const double log_f = -softplus(-softCap(forget(t, head), spec.gate_soft_cap));
      const double next = std::max(log_f + m, i);
      Vector extended(values + 1);
      extended << headOf(v, t, head, values), 1.0;
      s = (std::exp(log_f + m - next) * s +
           std::exp(i - next) * extended * headOf(k, t, head, keys).transpose())
              .eval();
      m = next;
      const Vector found = s * headOf(q, t, head, keys) * scale;
      form.log_decay(t, head) = log_f;
      form.log_gain(t, head) = i;
      form.outputs.row(t).segment(head * values, values) = found.head(values).transpose() * std::exp(m);
      const double divisor = std::max(std::abs(found(values)), std::exp(-m)) + double{spec.least};
      h.row(t).segment(head * values, values) = found.head(values).transpose() / divisor;
    }
  }
  layer.decay = form.log_decay.array().exp();
  layer.linear = std::move(form);
  TRY_ASSIGN(h, normHeads(spec.norm, std::move(h), values));
  h.array() *= o.unaryExpr(&sigmoid).array();
  return apply(spec.output, h);
}

Result<Matrix> mix(const LightningSpec& spec, const Matrix& x, ReferenceLayer& layer) {
  TRY_ASSIGN(Matrix q, apply(spec.query, x));
  TRY_ASSIGN(Matrix k, apply(spec.key, x));
  TRY_ASSIGN(Matrix v, apply(spec.value, x));
  TRY_ASSIGN(const Matrix gate, apply(spec.gate, x));
  for (Matrix* part : {&q, &k, &v}) *part = part->unaryExpr(&silu).eval();
  const Index dim = spec.head_dim;
  Matrix y(x.rows(), v.cols());
  ReferenceLinearForm form = linearForm(spec.heads, q, k, v);
  layer.state = Matrix::Zero(v.cols(), dim);
  for (Index head = 0; head < spec.heads; ++head) {
    auto s = layer.state.middleRows(head * dim, dim);
    const double slope = spec.slopes[static_cast<std::size_t>(head)], decay = std::exp(-slope);
    form.log_decay.col(head).setConstant(-slope);
    for (Index t = 0; t < x.rows(); ++t) {
      s = (decay * s + headOf(v, t, head, dim) * headOf(k, t, head, dim).transpose()).eval();
      y.row(t).segment(head * dim, dim) = (s * headOf(q, t, head, dim)).transpose();
    }
  }
  form.outputs = y;
  layer.decay = form.log_decay.array().exp();
  layer.linear = std::move(form);
  TRY_ASSIGN(y, apply(spec.norm, std::move(y), y.cols()));
  y.array() *= gate.unaryExpr(&sigmoid).array();
  return apply(spec.output, y);
}

Result<Matrix> mix(const DeltaNetSpec& spec, const Matrix& x, ReferenceLayer& layer) {
  TRY_ASSIGN(const Matrix query, apply(spec.query, x));
  TRY_ASSIGN(const Matrix key, apply(spec.key, x));
  TRY_ASSIGN(const Matrix value, apply(spec.value, x));
  TRY_ASSIGN(const Matrix z, apply(spec.gate, x));
  TRY_ASSIGN(const Matrix b, apply(spec.beta, x));
  TRY_ASSIGN(const Matrix a, apply(spec.step, x));
  TRY_ASSIGN(Matrix rate, expandWeights(spec.decay));
  rate = spec.decay_is_log ? Matrix(rate.array().exp()) : Matrix(-rate);
  TRY_ASSIGN(const Matrix dt_bias, expandWeights(spec.dt_bias));
  Matrix qkv(x.rows(), query.cols() + key.cols() + value.cols());
  qkv << query, key, value;
  TRY_ASSIGN(qkv, convolve(spec.conv, qkv));
  qkv = qkv.unaryExpr(&silu).eval();
  const Index keys = spec.key_dim, values = spec.value_dim, shared = spec.value_heads / spec.key_heads;
  const Matrix q = qkv.leftCols(query.cols()), k = qkv.middleCols(query.cols(), key.cols());
  const Matrix v = qkv.rightCols(value.cols());
  const auto unit = [](Vector u) {
    return Vector(u / std::sqrt(u.squaredNorm() + DeltaNetSpec::kUnitEpsilon));
  };
  Matrix y(x.rows(), v.cols());
  layer.state = Matrix::Zero(v.cols(), keys);
  layer.decay = Matrix(x.rows(), spec.value_heads);
  for (Index head = 0; head < spec.value_heads; ++head) {
    auto s = layer.state.middleRows(head * values, values);
    for (Index t = 0; t < x.rows(); ++t) {
      const Vector kt = unit(headOf(k, t, head / shared, keys)), qt = unit(headOf(q, t, head / shared, keys));
      layer.decay(t, head) = std::exp(-rate(head, 0) * softplus(a(t, head) + dt_bias(head, 0)));
      s *= layer.decay(t, head);
      s += (sigmoid(b(t, head)) * (headOf(v, t, head, values) - s * kt) * kt.transpose()).eval();
      y.row(t).segment(head * values, values) = (s * qt).transpose() / std::sqrt(static_cast<double>(keys));
    }
  }
  TRY_ASSIGN(y, apply(spec.norm, std::move(y), values));
  y.array() *= z.unaryExpr(&silu).array();
  return apply(spec.output, y);
}

}  // namespace vitrine::core
