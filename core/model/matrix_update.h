// What adapters add to a matrix while it runs: y += B z, z = s * (A x), with a scale s for each adapter that
// a session can change.
#pragma once

#include <cstdint>
#include <vector>

#include "core/model/weight_loader.h"

namespace vitrine::core {

// The linears of a matrix share x, so that all their adapters' A lie below each other in one matrix: z of a
// token is computed at once. Each row of the matrix takes a run of z.
struct MatrixUpdate {
  Matrix a;              // (ranks, columns), ranks a multiple of 4
  gpu::Buffer adapters;  // (ranks) u32: index into ModelSpec::adapters
  gpu::Buffer b;         // (rows, width) f32, the factor included; width a multiple of 4
  gpu::Buffer spans;     // (rows) two u32: the first and the number of the row's groups of four z
  gpu::Buffer term;      // shader::LowRankTerm
};

// Null where no row has an update.
Result<std::shared_ptr<const MatrixUpdate>> uploadUpdate(WeightLoader& loader, const RowSource& source);

}  // namespace vitrine::core
