// Latent attention in double precision, as the paper states it: each head's keys and values are made of the
// latent (equations 9 to 19 of arXiv:2405.04434), nothing is absorbed.
#include "core/reference/reference_parts.h"

namespace vitrine::core {
namespace {

using Eigen::Index;
using Matrix = ReferenceMatrix;

// The plain parts of all heads' keys, (tokens, heads * plain_dim).
Result<Matrix> plainKeys(const LatentSpec& latent, Index heads, const Matrix& compressed) {
  if (latent.key_up.weight) return apply(latent.key_up, compressed);
  const Index plain = latent.plain_dim, rank = latent.rank;
  TRY_ASSIGN(const Matrix transposed, expandWeights(latent.key_up_transposed));
  Matrix keys(compressed.rows(), heads * plain);
  for (Index head = 0; head < heads; ++head)
    keys.middleCols(head * plain, plain) = compressed * transposed.middleRows(head * rank, rank);
  return keys;
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
  const Index heads = spec.heads;
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
  TRY_ASSIGN(const Matrix key_plain, plainKeys(latent, heads, compressed));
  TRY_ASSIGN(Matrix values, apply(latent.value_up, compressed));
  return ReferenceHeads{.queries = besides(query_rotary, query_plain, heads),
                        .keys = besides(key_rotary.replicate(1, heads), key_plain, heads),
                        .values = std::move(values),
                        .kv_heads = spec.heads};
}

}  // namespace vitrine::core
