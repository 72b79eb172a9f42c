#version 460
// variants: pair
// squares.comp in pairs of floats: workgroup x of matrix y takes every gl_NumWorkGroups.x-th row.
#include "common/device.glsl"
#include "svd/pairs.glsl"
#include "svd/squares.params.h"

layout(push_constant, scalar) uniform Push { SquaresParams params; };

layout(constant_id = 0) const bool OF_PAIRS = false;  // the matrix's elements, else floats

void main() {
  uint64_t matrix = params.numbers + uint64_t(gl_WorkGroupID.y) * params.rows * params.stride * (OF_PAIRS ? 8 : 4);
  vec2 sum = vec2(0.0);
  for (uint row = gl_WorkGroupID.x; row < params.rows; row += gl_NumWorkGroups.x) {
    uint64_t numbers = matrix + uint64_t(row) * params.stride * (OF_PAIRS ? 8 : 4);
    for (uint i = lane(); i < params.columns; i += LANES) {
      vec2 value = OF_PAIRS ? Pairs(numbers).at[i] : vec2(Floats(numbers).at[i], 0.0);
      sum = add(sum, mul(value, value));
    }
  }
  sum = addLanes(sum);
  if (lane() == 0) Pairs(params.sums).at[gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x] = sum;
}
