#version 460
// variants: double pair
// New rows as sums of old ones: a sketch of a stream and a block of new rows, turned into the next sketch. A lane
// makes four numbers; new rows lie along y, matrices along z.
#include "common/device.glsl"
#include "svd/sums.glsl"
#include "svd/rotate_rows.params.h"

layout(push_constant, scalar) uniform Push { RotateRowsParams params; };

void main() {
  uint quad = gl_GlobalInvocationID.x, row = gl_WorkGroupID.y, matrix = gl_WorkGroupID.z;
  if (quad >= params.row_stride) return;
  uint64_t all = uint64_t(matrix) * params.n * params.row_stride * 16;
  Sums turns = Sums(params.turns + uint64_t(matrix) * params.n * params.n * 8);
  SUM sum[4];
  [[unroll]] for (uint k = 0; k < 4; ++k) sum[k] = kNoSum;
  for (uint i = 0; i < params.n; ++i) {
    vec4 old = Vec4s(params.rows + all).at[i * params.row_stride + quad];
    SUM turn = turns.at[row * params.n + i];
    [[unroll]] for (uint k = 0; k < 4; ++k) sum[k] = addScaled(sum[k], turn, old[k]);
  }
  Vec4s(params.rotated + all).at[row * params.row_stride + quad] =
      vec4(rounded(sum[0]), rounded(sum[1]), rounded(sum[2]), rounded(sum[3]));
}
