#version 460
// A matrix's columns as rows, in another order. A workgroup a tile.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/ordered.params.h"

layout(push_constant, scalar) uniform Push { OrderedParams params; };

const uint SIDE = 32, THREADS = 256;

shared double tile[SIDE][SIDE + 1];  // [column][row]

void main() {
  uint row0 = gl_WorkGroupID.x * SIDE, column0 = gl_WorkGroupID.y * SIDE;
  Doubles from = Doubles(params.from), to = Doubles(params.to);
  for (uint i = gl_LocalInvocationIndex; i < SIDE * SIDE; i += THREADS) {
    uint row = row0 + i / SIDE, k = column0 + i % SIDE;
    if (row < params.rows && k < params.columns)
      tile[i % SIDE][i / SIDE] = from.at[row * params.stride + Uints(params.order).at[k]];
  }
  barrier();
  for (uint i = gl_LocalInvocationIndex; i < SIDE * SIDE; i += THREADS) {
    uint k = column0 + i / SIDE, row = row0 + i % SIDE;
    if (row < params.rows && k < params.columns) to.at[k * params.rows + row] = tile[i / SIDE][i % SIDE];
  }
}
