// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): of all keys and values of a token only a
// latent c of `rank` numbers and one rotary key, shared by the heads, are kept. For head h
//   k = (W_UK,h c, rotary key), v = W_UV,h c, q = (plain part, rotary part),
// so that q . k = (W_UK,h^T q_plain) . c + q_rotary . k_rotary, and the sum over values is W_UV,h of the sum
// over latents: multi-query attention over the kept rows (rotary key, latent), whose tails are the values.
#pragma once

#include <cstdint>
#include <optional>

#include "core/model/weight_ref.h"

namespace vitrine::core {

struct LatentSpec {
  // The query's own latent, which its projections read instead of x.
  struct QueryLatent {
    Linear down;  // (query rank, d)
    Norm norm;
  };

  std::uint32_t rank = 0;
  std::uint32_t plain_dim = 0;  // of a head's q and k, beside the rotary part
  std::uint32_t value_dim = 0;  // of a head
  std::optional<QueryLatent> query;
  Linear query_rotary, query_plain;  // (heads * rotary, ..), (heads * plain_dim, ..)
  Linear key_rotary, down;           // (rotary, d), (rank, d)
  Norm norm;                         // of the latent
  // W_UK, (heads * plain_dim, rank), a head's rows together; or, as llama.cpp stores it, each head's
  // transposed, (heads * rank, plain_dim).
  Linear key_up;
  WeightRef key_up_transposed;
  Linear value_up;  // W_UV, (heads * value_dim, rank)
};

}  // namespace vitrine::core
