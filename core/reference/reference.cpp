#include "core/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/model/row_source.h"
#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;

// Rows [first, first + count) of a referenced matrix.
Result<Matrix> expandRows(const WeightRef& weight, std::uint64_t first, std::uint64_t count) {
  RowSource all = rowsOf(weight);
  RowSource band{.type = all.type, .columns = all.columns, .rows = {}};
  band.rows.assign(all.rows.begin() + static_cast<Index>(first),
                   all.rows.begin() + static_cast<Index>(first + count));
  TRY_ASSIGN(const std::vector<float> values, readFloats(band));
  return Matrix(Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(
                    values.data(), static_cast<Index>(count), static_cast<Index>(weight.columns))
                    .cast<double>());
}

}  // namespace

// A band of rows of W at a time, so that a large head does not stand in memory as a whole.
Result<Matrix> apply(const Linear& linear, const Matrix& x) {
  constexpr std::uint64_t kBand = 4096;
  Matrix y(x.rows(), static_cast<Index>(linear.weight.rows));
  for (std::uint64_t first = 0; first < linear.weight.rows; first += kBand) {
    const std::uint64_t count = std::min(kBand, linear.weight.rows - first);
    TRY_ASSIGN(const Matrix weight, expandRows(linear.weight, first, count));
    y.middleCols(static_cast<Index>(first), static_cast<Index>(count)).noalias() = x * weight.transpose();
  }
  for (const LowRankUpdate& update : linear.updates) {
    TRY_ASSIGN(const Matrix a, expandWeights(update.a));
    TRY_ASSIGN(const Matrix b, expandWeights(update.b));
    y += (double{update.scale} * update.factor) * ((x * a.transpose()) * b.transpose());
  }
  if (linear.bias) {
    TRY_ASSIGN(const Matrix bias, expandWeights(linear.bias));
    y.rowwise() += bias.col(0).transpose();
  }
  return y;
}

Result<Matrix> apply(const Norm& norm, Matrix x, Index width) {
  Eigen::VectorXd gain = Eigen::VectorXd::Ones(width), bias = Eigen::VectorXd::Zero(width);
  if (norm.weight) {
    TRY_ASSIGN(const Matrix stored, expandWeights(norm.weight));
    gain = stored.col(0).array() + norm.gain_offset;
  }
  if (norm.bias) {
    TRY_ASSIGN(const Matrix stored, expandWeights(norm.bias));
    bias = stored.col(0);
  }
  for (Index row = 0; row < x.rows(); ++row)
    for (Index column = 0; column < x.cols(); column += width) {
      auto part = x.row(row).segment(column, width);
      if (norm.kind == NormKind::kLayer) part.array() -= part.mean();
      const double mean_square = part.squaredNorm() / static_cast<double>(width);
      part = (part.array() / std::sqrt(mean_square + norm.epsilon) * gain.transpose().array() +
              bias.transpose().array())
                 .matrix();
    }
  return x;
}

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kGelu:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kReluSquared:
      return std::max(x, 0.0) * std::max(x, 0.0);
    case Activation::kSigmoid:
      return 1 / (1 + std::exp(-x));
  }
  VITRINE_ASSERT(!"an activation");
  return 0;
}

namespace {

// What a head adds to its scores and to the sum of their exponentials.
struct HeadTerms {
  double slope = 0;
  double sink = -std::numeric_limits<double>::infinity();  // none
};

// Softmax over the keys that each query sees: itself and those before it, within the window.
Matrix attentionWeights(const Matrix& queries, const Matrix& keys, const AttentionSpec& spec,
                        const HeadTerms& terms) {
  Matrix scores = queries * keys.transpose() * static_cast<double>(spec.scale);
  for (Index query = 0; query < scores.rows(); ++query)
    for (Index key = 0; key < scores.cols(); ++key)
      scores(query, key) =
          softCap(scores(query, key), spec.soft_cap) - terms.slope * static_cast<double>(query - key);
  Matrix weights = Matrix::Zero(scores.rows(), scores.cols());
  for (Index query = 0; query < scores.rows(); ++query) {
    const Index window = spec.sliding_window == 0 ? query + 1 : static_cast<Index>(spec.sliding_window);
    const Index first = std::max<Index>(0, query + 1 - window), count = query + 1 - first;
    const auto seen = scores.row(query).segment(first, count).array();
    const double highest = std::max(seen.maxCoeff(), terms.sink);
    const Eigen::ArrayXd exponentials = (seen - highest).exp().transpose();
    const double sum = exponentials.sum() + std::exp(terms.sink - highest);
    weights.row(query).segment(first, count) = (exponentials / sum).matrix().transpose();
  }
  return weights;
}

Result<ReferenceHeads> projectedHeads(const AttentionSpec& spec, const Matrix& x) {
  ReferenceHeads heads{.queries = {}, .keys = {}, .values = {}, .kv_heads = spec.kv_heads};
  TRY_ASSIGN(heads.queries, apply(spec.query, x));
  TRY_ASSIGN(heads.keys, apply(spec.key, x));
  TRY_ASSIGN(heads.values, apply(spec.value, x));
  if (spec.query_norm) {
    TRY_ASSIGN(heads.queries,
               apply(*spec.query_norm, std::move(heads.queries), spec.normWidth(*spec.query_norm)));
  }
  if (spec.key_norm) {
    TRY_ASSIGN(heads.keys, apply(*spec.key_norm, std::move(heads.keys), spec.normWidth(*spec.key_norm)));
  }
  if (spec.rope) {
    applyRope(*spec.rope, spec.head_dim, heads.queries);
    applyRope(*spec.rope, spec.head_dim, heads.keys);
  }
  return heads;
}

Result<Matrix> mix(const AttentionSpec& spec, const Matrix& x, ReferenceLayer& layer) {
  TRY_ASSIGN(ReferenceHeads heads, spec.latent ? latentHeads(spec, x) : projectedHeads(spec, x));
  const Index key_dim = heads.queries.cols() / spec.heads, value_dim = heads.values.cols() / heads.kv_heads;
  Matrix sinks;
  if (spec.sinks) {
    TRY_ASSIGN(sinks, expandWeights(spec.sinks));
  }
  Matrix mixed(x.rows(), static_cast<Index>(spec.heads) * value_dim);
  for (std::uint32_t head = 0; head < spec.heads; ++head) {
    const Index kv_head = head / (spec.heads / heads.kv_heads);
    HeadTerms terms;
    if (!spec.alibi_slopes.empty()) terms.slope = spec.alibi_slopes[head];
    if (spec.sinks) terms.sink = sinks(head, 0);
    layer.attention.push_back(attentionWeights(heads.queries.middleCols(head * key_dim, key_dim),
                                               heads.keys.middleCols(kv_head * key_dim, key_dim), spec,
                                               terms));
    mixed.middleCols(head * value_dim, value_dim) =
        layer.attention.back() * heads.values.middleCols(kv_head * value_dim, value_dim);
  }
  layer.keys = std::move(heads.keys);
  layer.values = std::move(heads.values);
  if (spec.gate) {
    TRY_ASSIGN(const Matrix gate, apply(*spec.gate, x));
    mixed.array() *= gate.unaryExpr([](double value) { return 1 / (1 + std::exp(-value)); }).array();
  }
  return apply(spec.output, mixed);
}

Result<Matrix> embed(const ModelSpec& spec, std::span<const std::int32_t> ids) {
  Matrix x(static_cast<Index>(ids.size()), static_cast<Index>(spec.embedding_dim));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    TRY_ASSIGN(const Matrix row, expandRows(spec.token_embedding, static_cast<std::uint64_t>(ids[i]), 1));
    x.row(static_cast<Index>(i)) = row.row(0) * static_cast<double>(spec.embedding_scale);
  }
  if (spec.position_embedding) {
    TRY_ASSIGN(const Matrix positions, expandRows(spec.position_embedding, 0, ids.size()));
    x += positions;
  }
  if (spec.embedding_norm) {
    TRY_ASSIGN(x, apply(*spec.embedding_norm, std::move(x), x.cols()));
  }
  return x;
}

Result<Matrix> normed(const std::optional<Norm>& norm, Matrix x) {
  if (!norm) return x;
  const Index width = x.cols();
  return apply(*norm, std::move(x), width);
}

// What a block adds to its stream: `f` of the normalized input, or of another input that is given.
template <typename F>
Result<Matrix> branch(const BlockSpec& block, const std::optional<Norm>& norm,
                      const std::optional<Norm>& post, double skip, double scale, Matrix x,
                      const Matrix* input, F f) {
  TRY_ASSIGN(Matrix in, normed(norm, x));
  if (block.residual == Residual::kNormalized) x = in;
  TRY_ASSIGN(Matrix out, f(input ? *input : in));
  TRY_ASSIGN(out, normed(post, std::move(out)));
  return Matrix(skip * x + scale * out);
}

Result<Matrix> runBlock(const BlockSpec& block, Matrix x, ReferenceLayer& layer) {
  std::optional<Matrix> channel_input;
  if (block.parallel) {
    TRY_ASSIGN(channel_input, normed(block.channel_norm, x));
  }
  if (!block.mixers.empty()) {
    TRY_ASSIGN(x, branch(block, block.mixer_norm, block.mixer_post_norm, block.mixer_skip, block.mixer_scale,
                         std::move(x), nullptr, [&](const Matrix& in) -> Result<Matrix> {
                           Matrix sum = Matrix::Zero(in.rows(), in.cols());
                           for (std::size_t i = 0; i < block.mixers.size(); ++i) {
                             TRY_ASSIGN(const Matrix out,
                                        std::visit([&](const auto& kind) { return mix(kind, in, layer); },
                                                   block.mixers[i]));
                             sum += (block.mixer_factors.empty() ? 1.0 : block.mixer_factors[i]) * out;
                           }
                           return sum;
                         }));
  }
  if (block.channel) {
    TRY_ASSIGN(
        x, branch(block, block.channel_norm, block.channel_post_norm, block.channel_skip, block.channel_scale,
                  std::move(x), channel_input ? &*channel_input : nullptr, [&](const Matrix& in) {
                    return std::visit([&](const auto& kind) { return mix(kind, in, layer); }, *block.channel);
                  }));
  }
  return x;
}

}  // namespace

Result<Matrix> mix(const DenseMlpSpec& spec, const Matrix& x, ReferenceLayer&) {
  const auto act = [&spec](double value) { return activate(spec.activation, value); };
  TRY_ASSIGN(Matrix up, apply(spec.up, x));
  if (spec.gate) {
    TRY_ASSIGN(Matrix gate, apply(*spec.gate, x));
    gate *= static_cast<double>(spec.gate_scale);
    up.array() *= gate.unaryExpr(act).array();
  } else {
    up = up.unaryExpr(act).eval();
  }
  return apply(spec.down, up);
}

Result<ReferenceMatrix> expandWeights(const WeightRef& weight) {
  return expandRows(weight, 0, weight.rows);
}

void applyRope(const Rope& rope, std::uint32_t head_dim, ReferenceMatrix& heads) {
  const Index half = static_cast<Index>(rope.inv_freq.size());
  const bool interleaved = rope.pairing == RopePairing::kInterleaved;
  for (Index position = 0; position < heads.rows(); ++position)
    for (Index head = 0; head < heads.cols(); head += head_dim)
      for (Index i = 0; i < half; ++i) {
        const double angle = static_cast<double>(position) * rope.inv_freq[static_cast<std::size_t>(i)];
        const double c = std::cos(angle) * rope.magnitude, s = std::sin(angle) * rope.magnitude;
        double& a = heads(position, head + (interleaved ? 2 * i : i));
        double& b = heads(position, head + (interleaved ? 2 * i + 1 : i + half));
        const double turned_a = a * c - b * s, turned_b = a * s + b * c;
        a = turned_a;
        b = turned_b;
      }
}

Result<ReferencePass> referenceForward(const ModelSpec& spec, std::span<const std::int32_t> ids,
                                       std::size_t logit_rows) {
  if (ids.empty()) return fail(ErrorCode::kInvalidArgument, "no token to run the model on");
  for (const std::int32_t id : ids)
    if (id < 0 || static_cast<std::uint32_t>(id) >= spec.vocab_size)
      return fail(ErrorCode::kInvalidArgument, "token {} is outside the vocabulary of {}", id,
                  spec.vocab_size);

  ReferencePass pass;
  TRY_ASSIGN(Matrix x, embed(spec, ids));
  for (const BlockSpec& block : spec.blocks) {
    pass.hidden.push_back(x);
    ReferenceLayer layer;
    if (!pass.layers.empty()) layer.first_values = pass.layers.back().first_values;
    TRY_ASSIGN(x, runBlock(block, std::move(x), layer));
    pass.layers.push_back(std::move(layer));
  }
  TRY_ASSIGN(x, apply(spec.final_norm, std::move(x), static_cast<Index>(spec.embedding_dim)));
  const std::size_t wanted = logit_rows == 0 ? ids.size() : std::min(logit_rows, ids.size());
  TRY_ASSIGN(pass.logits, apply(spec.head, x.bottomRows(static_cast<Index>(wanted))));
  pass.logits = (pass.logits * static_cast<double>(spec.logit_scale)).unaryExpr([&](double v) {
    return softCap(v, spec.logit_soft_cap);
  });
  pass.hidden.push_back(std::move(x));
  return pass;
}

}  // namespace vitrine::core
