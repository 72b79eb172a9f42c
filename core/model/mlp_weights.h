// The weights of a dense channel mixer on the device.
#pragma once

#include <optional>

#include "core/model/channels/dense_mlp.h"
#include "core/model/weight_loader.h"

namespace vitrine::core {

struct MlpWeights {
  std::optional<Matrix> gate_up;   // rows gate 0, up 0, gate 1, up 1 ..
  std::optional<Matrix> gate, up;  // apart where their types differ; up alone without a gate
  Matrix down;
};

Result<MlpWeights> upload(WeightLoader& loader, const DenseMlpSpec& spec);

}  // namespace vitrine::core
