#version 460
// What the last sweep of band_chase.comp leaves, a thread a row.
#include "common/device.glsl"
#include "svd/band.glsl"
#include "svd/band_chase.params.h"

layout(push_constant, scalar) uniform Push { BandChaseParams params; };

void main() {
  uint row = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationIndex, matrix = gl_WorkGroupID.y;
  if (row >= params.n) return;
  Doubles band = Doubles(params.band + uint64_t(matrix) * params.band_rows * 2 * BAND * 8);
  Doubles result = Doubles(params.result + uint64_t(matrix) * 2 * params.n * 8);
  result.at[row] = band.at[row * 2 * BAND];
  if (row > 0) result.at[params.n + row - 1] = band.at[row * 2 * BAND + 1];
}
