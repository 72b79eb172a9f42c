// The state space mixers and the short convolution, token by token as their papers define them.
#include <algorithm>
#include <cmath>

#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;
using Vector = Eigen::VectorXd;

Result<Matrix> decayOf(const WeightRef& weight, bool is_log) {
  TRY_ASSIGN(Matrix decay, expandWeights(weight));
  return is_log ? Matrix(-decay.array().exp()) : decay;
}

}  // namespace

Result<Matrix> convolve(const CausalConv& conv, const Matrix& x) {
  TRY_ASSIGN(const Matrix kernel, expandWeights(conv.weight));
  Matrix y = Matrix::Zero(x.rows(), x.cols());
  if (conv.bias) {
    TRY_ASSIGN(const Matrix bias, expandWeights(conv.bias));
    y.rowwise() += bias.col(0).transpose();
  }
  for (Index t = 0; t < x.rows(); ++t)
    for (Index back = 0; back < std::min<Index>(conv.kernel, t + 1); ++back)
      y.row(t).array() += x.row(t - back).array() * kernel.col(conv.kernel - 1 - back).transpose().array();
  return y;
}

Result<Matrix> mix(const MambaSpec& spec, const Matrix& input, ReferenceLayer& layer) {
  const Index inner = spec.inner, states = spec.state, rank = spec.rank;
  TRY_ASSIGN(const Matrix projected, apply(spec.input, input));
  TRY_ASSIGN(Matrix x, convolve(spec.conv, projected.leftCols(inner)));
  x = x.unaryExpr(&silu).eval();
  TRY_ASSIGN(const Matrix parameters, apply(spec.parameters, x));
  Matrix dt = parameters.leftCols(rank), b = parameters.middleCols(rank, states);
  Matrix c = parameters.rightCols(states);
  if (spec.parameters_epsilon) {
    const Norm plain{.kind = NormKind::kRms, .weight = {}, .bias = {}, .epsilon = *spec.parameters_epsilon};
    TRY_ASSIGN(dt, apply(plain, std::move(dt), rank));
    TRY_ASSIGN(b, apply(plain, std::move(b), states));
    TRY_ASSIGN(c, apply(plain, std::move(c), states));
  }
  TRY_ASSIGN(dt, apply(spec.step, dt));
  TRY_ASSIGN(const Matrix decay, decayOf(spec.decay, spec.decay_is_log));
  TRY_ASSIGN(const Matrix skip, expandWeights(spec.skip));
  Matrix y(x.rows(), inner), h = Matrix::Zero(inner, states);
  layer.decay = Matrix(x.rows(), inner * states);
  for (Index t = 0; t < x.rows(); ++t)
    for (Index channel = 0; channel < inner; ++channel) {
      const double step = softplus(dt(t, channel)), value = x(t, channel);
      auto kept = layer.decay.row(t).segment(channel * states, states);
      kept = (step * decay.row(channel)).array().exp();
      h.row(channel) = (kept.array() * h.row(channel).array() + step * value * b.row(t).array()).matrix();
      y(t, channel) =
          (h.row(channel).dot(c.row(t)) + skip(channel, 0) * value) * silu(projected(t, inner + channel));
    }
  layer.state = std::move(h);
  return apply(spec.output, y);
}

Result<Matrix> mix(const Mamba2Spec& spec, const Matrix& input, ReferenceLayer& layer) {
  const Index inner = spec.inner(), states = spec.state, heads = spec.heads, head_dim = spec.head_dim;
  const Index group_width = static_cast<Index>(spec.groups) * states;
  TRY_ASSIGN(const Matrix projected, apply(spec.input, Matrix(input * double{spec.input_scale})));
  const Matrix z = projected.leftCols(inner) * double{spec.scales.z};
  Matrix xbc = projected.middleCols(inner, spec.conv.channels);
  xbc.leftCols(inner) *= double{spec.scales.x};
  xbc.middleCols(inner, group_width) *= double{spec.scales.b};
  xbc.rightCols(group_width) *= double{spec.scales.c};
  TRY_ASSIGN(xbc, convolve(spec.conv, xbc));
  xbc = xbc.unaryExpr(&silu).eval();
  TRY_ASSIGN(const Matrix dt_bias, expandWeights(spec.dt_bias));
  TRY_ASSIGN(const Matrix decay, decayOf(spec.decay, spec.decay_is_log));
  TRY_ASSIGN(const Matrix skip, expandWeights(spec.skip));
  Matrix y(input.rows(), inner), h = Matrix::Zero(inner, states);
  ReferenceLinearForm form{.heads = spec.heads,
                           .groups = spec.groups,
                           .queries = xbc.rightCols(group_width),
                           .keys = xbc.middleCols(inner, group_width),
                           .log_decay = Matrix(input.rows(), heads),
                           .log_gain = Matrix(input.rows(), heads),
                           .values = xbc.leftCols(inner),
                           .outputs = Matrix(input.rows(), inner)};
  for (Index t = 0; t < input.rows(); ++t)
    for (Index head = 0; head < heads; ++head) {
      const Index group = head / (heads / spec.groups), first = head * head_dim;
      const double raw = spec.scales.dt * projected(t, inner + spec.conv.channels + head);
      const double dt = std::clamp<double>(softplus(raw + dt_bias(head, 0)), spec.least_dt, spec.most_dt);
      const auto x = xbc.row(t).segment(first, head_dim);
      const auto b = xbc.row(t).segment(inner + group * states, states);
      const auto c = xbc.row(t).segment(inner + group_width + group * states, states);
      auto state = h.middleRows(first, head_dim);
      state = (std::exp(dt * decay(head, 0)) * state + dt * x.transpose() * b).eval();
      form.log_decay(t, head) = dt * decay(head, 0);
      form.log_gain(t, head) = std::log(dt);
      form.outputs.row(t).segment(first, head_dim) = (state * c.transpose()).transpose();
      y.row(t).segment(first, head_dim) = form.outputs.row(t).segment(first, head_dim) + skip(head, 0) * x;
    }
  layer.state = std::move(h);
  layer.decay = form.log_decay.array().exp();
  layer.linear = std::move(form);
  const auto gate = z.unaryExpr(&silu).array();
  if (!spec.norm || !spec.norm_before_gate) y.array() *= gate;
  if (spec.norm) {
    Norm plain = *spec.norm;
    plain.weight = {};
    TRY_ASSIGN(y, apply(plain, std::move(y), inner / static_cast<Index>(spec.norm_groups)));
    TRY_ASSIGN(const Matrix gain, expandWeights(spec.norm->weight));
    y.array().rowwise() *= gain.col(0).transpose().array();
    if (spec.norm_before_gate) y.array() *= gate;
  }
  return apply(spec.output, y);
}

Result<Matrix> mix(const ShortConvSpec& spec, const Matrix& input, ReferenceLayer& layer) {
  const Index channels = spec.conv.channels, past = spec.conv.kernel - 1;
  TRY_ASSIGN(const Matrix projected, apply(spec.input, input));
  const Matrix gated = projected.leftCols(channels).cwiseProduct(projected.rightCols(channels));
  TRY_ASSIGN(Matrix mixed, convolve(spec.conv, gated));
  mixed.array() *= projected.middleCols(channels, channels).array();
  layer.state = Matrix::Zero(past, channels);
  const Index kept = std::min(past, gated.rows());
  layer.state.bottomRows(kept) = gated.bottomRows(kept);
  return apply(spec.output, mixed);
}

}  // namespace vitrine::core
