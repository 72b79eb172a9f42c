// A linear of a spec as a matrix in double precision, with what adapters add to it.
#pragma once

#include <Eigen/Core>

#include "core/model/model_spec.h"

namespace vitrine::core {

// (out, in): W + sum of scale * factor * B A, not rounded to float32 as an engine's merged weights are. An
// element that is not finite is an error that names tensor and place.
Result<Eigen::MatrixXd> expandLinear(const Linear& linear);
// The stored matrix alone.
Result<Eigen::MatrixXd> expandBase(const WeightRef& weight);

}  // namespace vitrine::core
