// The weights of latent attention on the device. Those of the heads lie in one matrix, one head's rows below
// the other's, so that one product does all heads.
#pragma once

#include <optional>

#include "core/model/model_spec.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

struct LatentWeights {
  struct QueryLatent {
    Matrix down;
    NormWeights norm;
  };
  std::optional<QueryLatent> query_latent;
  Matrix query;  // rows: the heads' rotary parts with pairs adjacent, then their plain parts
  Matrix key;    // rows: the rotary key, likewise, then the latent
  NormWeights norm;
  Matrix key_up;    // (heads * rank, plain_dim), W_UK transposed
  Matrix value_up;  // (heads * value_dim, rank)
};

// kUnsupported for dimensions that the kernels cannot read.
Result<LatentWeights> uploadLatent(WeightLoader& loader, const AttentionSpec& spec);

}  // namespace vitrine::core
