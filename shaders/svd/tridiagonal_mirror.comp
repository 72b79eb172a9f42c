#version 460
// Gives the matrix behind the panels its upper triangle back, which they have left as it was. A workgroup a tile below
// or on the diagonal.
#include "common/device.glsl"
#include "svd/tridiagonal.glsl"

const uint SIDE = 32, THREADS = 256;

shared double tile[SIDE][SIDE + 1];

void main() {
  uvec2 first = params.column + triangle(gl_WorkGroupID.x) * SIDE;  // row, column
  Doubles a = gram();
  for (uint i = gl_LocalInvocationIndex; i < SIDE * SIDE; i += THREADS) {
    uvec2 at = first + uvec2(i / SIDE, i % SIDE);
    if (at.x < params.n && at.y < params.n) tile[i / SIDE][i % SIDE] = a.at[at.x * params.stride + at.y];
  }
  barrier();
  for (uint i = gl_LocalInvocationIndex; i < SIDE * SIDE; i += THREADS) {
    uvec2 at = first.yx + uvec2(i / SIDE, i % SIDE);
    if (at.x < params.n && at.y < params.n && at.x < at.y)
      a.at[at.x * params.stride + at.y] = tile[i % SIDE][i / SIDE];
  }
}
