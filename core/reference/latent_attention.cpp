// Latent attention in double precision, as the paper states it: each head's keys and values are made of the
// latent (equations 9 to 19 of arXiv:2405.04434), nothing is absorbed.
#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;

// W_UK of a head, (plain_dim, rank).
Result<Matrix> keyUp(const LatentSpec& latent, Index head) {
  const Index plain = latent.plain_dim, rank = latent.rank;
  if (latent.key_up) {
    TRY_ASSIGN(const Matrix all, expandWeights(latent.key_up));
    return Matrix(all.middleRows(head * plain, plain));
  }
  TRY_ASSIGN(const Matrix all, expandWeights(latent.key_up_transposed));
  return Matrix(all.middleRows(head * rank, rank).transpose());
}

// A rotary part in front of a plain one, for each head.
Matrix besides(const Matrix& rotary, const Matrix& plain, Index heads) {
  const Index turning = rotary.cols() / heads, still = plain.cols() / heads;
  Matrix both(rotary.rows(), rotary.cols() + plain.cols());
  for (Index head = 0; head < heads; ++head) {
    both.middleCols(head * (turning + still), turning) = rotary.middleCols(head * turning, turning);
    both.middleCols(head * (turning + still) + turning, still) = plain.middleCols(head * still, still);
  }
  return both;
}

}  // namespace

Result<ReferenceHeads> latentHeads(const AttentionSpec& spec, const ReferenceMatrix& x) {
  const LatentSpec& latent = *spec.latent;
  const Index heads = spec.heads, plain = latent.plain_dim;
  const auto rotary = static_cast<std::uint32_t>(latent.key_rotary.weight.rows);
  Matrix from = x;
  if (latent.query) {
    TRY_ASSIGN(from, apply(latent.query->down, x));
    const Index width = from.cols();
    TRY_ASSIGN(from, apply(latent.query->norm, std::move(from), width));
  }
  TRY_ASSIGN(Matrix query_rotary, apply(latent.query_rotary, from));
  TRY_ASSIGN(const Matrix query_plain, apply(latent.query_plain, from));
  TRY_ASSIGN(Matrix key_rotary, apply(latent.key_rotary, x));
  TRY_ASSIGN(Matrix compressed, apply(latent.down, x));
  TRY_ASSIGN(compressed, apply(latent.norm, std::move(compressed), latent.rank));
  if (spec.rope) {
    applyRope(*spec.rope, rotary, query_rotary);
    applyRope(*spec.rope, rotary, key_rotary);
  }
  Matrix key_plain(x.rows(), heads * plain);
  for (Index head = 0; head < heads; ++head) {
    TRY_ASSIGN(const Matrix up, keyUp(latent, head));
    key_plain.middleCols(head * plain, plain) = compressed * up.transpose();
  }
  TRY_ASSIGN(Matrix values, apply(Linear{latent.value_up, {}}, compressed));
  return ReferenceHeads{.queries = besides(query_rotary, query_plain, heads),
                        .keys = besides(key_rotary.replicate(1, heads), key_plain, heads),
                        .values = std::move(values),
                        .kv_heads = spec.heads};
}

}  // namespace vitrine::core
