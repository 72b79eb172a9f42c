#version 460
// variants: double pair
// The Gram matrix of the last rows of a stream, X X^T, of which each new row replaces a row and a column. A lane
// multiplies four new rows with four that are not newer and writes what it finds and its mirror image. New rows lie
// along y, matrices along z.
#include "common/device.glsl"
#include "svd/sums.glsl"
#include "svd/token_gram.params.h"

layout(push_constant, scalar) uniform Push { TokenGramParams params; };

void main() {
  uint first_new = params.first + 4 * gl_WorkGroupID.y, first_old = params.begin + 4 * gl_GlobalInvocationID.x;
  if (first_old > first_new + 3 || first_old >= params.end) return;
  uint64_t rows = params.rows + uint64_t(gl_WorkGroupID.z) * params.ring * params.row_stride * 16;
  uint left[4], right[4];  // where the rows begin; those beyond the last one stand for it
  [[unroll]] for (uint i = 0; i < 4; ++i) {
    left[i] = min(first_new + i, params.end - 1) % params.ring * params.row_stride;
    right[i] = min(first_old + i, params.end - 1) % params.ring * params.row_stride;
  }
  SUM sum[4][4];
  [[unroll]] for (uint i = 0; i < 4; ++i) [[unroll]] for (uint j = 0; j < 4; ++j) sum[i][j] = kNoSum;
  for (uint quad = 0; quad < params.row_stride; ++quad) {
    vec4 old[4];
    [[unroll]] for (uint j = 0; j < 4; ++j) old[j] = Vec4s(rows).at[right[j] + quad];
    [[unroll]] for (uint i = 0; i < 4; ++i) {
      vec4 fresh = Vec4s(rows).at[left[i] + quad];
      [[unroll]] for (uint j = 0; j < 4; ++j)
        [[unroll]] for (uint k = 0; k < 4; ++k) sum[i][j] = addProduct(sum[i][j], fresh[k], old[j][k]);
    }
  }
  Sums gram = Sums(params.gram + uint64_t(gl_WorkGroupID.z) * params.window * params.window * 8);
  [[unroll]] for (uint i = 0; i < 4; ++i) [[unroll]] for (uint j = 0; j < 4; ++j) {
    uint p = first_new + i, q = first_old + j;
    if (p >= params.end || q > p) continue;
    gram.at[p % params.window * params.window + q % params.window] = sum[i][j];
    gram.at[q % params.window * params.window + p % params.window] = sum[i][j];
  }
}
