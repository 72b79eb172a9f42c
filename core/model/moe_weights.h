// The weights of a mixture of experts on the device: all experts of a layer lie in one matrix, expert e's
// rows from e * rows on, so that one kernel reaches each of them.
#pragma once

#include <optional>

#include "core/model/channels/moe.h"
#include "core/model/mlp_weights.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

struct MoeWeights {
  Matrix router;           // (experts, d)
  gpu::Buffer correction;  // (experts) f32, or empty
  Matrix gate_up;          // (experts * 2 width, d): of each expert gate 0, up 0, gate 1, up 1 ..
  Matrix down;             // (experts * d, width)
  std::optional<MlpWeights> shared;
  std::optional<Matrix> shared_gate;  // (1, d)
};

// kUnsupported names experts whose types differ within the layer.
Result<MoeWeights> upload(WeightLoader& loader, const MoeSpec& spec);

}  // namespace vitrine::core
