#version 460
// variants: double pair
// Adds rows to running Gram matrices, G += sum of x x^T: of heads' keys and values as they lie in the cache, or of
// hidden states in their ring. A lane keeps a tile of 4 x 4 on or below the diagonal, walks the rows in order and
// writes the tile and its mirror image. Matrices lie along y.
#include "common/device.glsl"
#include "engine/cache.glsl"
#include "svd/sums.glsl"
#include "svd/gram_append.params.h"

layout(push_constant, scalar) uniform Push { GramAppendParams params; };

void main() {
  uint tile = gl_GlobalInvocationID.x, side = (params.width + 3) / 4;
  if (tile >= side * (side + 1) / 2) return;
  // Tiles are numbered row by row.
  uint y = uint((sqrt(8.0 * float(tile) + 1.0) - 1.0) / 2.0);
  while (y * (y + 1) / 2 > tile) --y;
  while ((y + 1) * (y + 2) / 2 <= tile) ++y;
  uint x = tile - y * (y + 1) / 2;

  const uint quad_bytes = CACHE_F16 ? 8 : 16;
  uint64_t rows = params.rows + uint64_t(gl_WorkGroupID.y) * params.matrix_stride * quad_bytes;
  Sums gram = Sums(params.grams + uint64_t(gl_WorkGroupID.y) * params.width * params.width * 8);
  SUM sum[4][4];
  [[unroll]] for (uint i = 0; i < 4; ++i) [[unroll]] for (uint j = 0; j < 4; ++j) {
    uint row = 4 * y + i, column = 4 * x + j;
    bool kept = params.fresh == 0 && row < params.width && column < params.width;
    if (kept)
      sum[i][j] = gram.at[row * params.width + column];
    else
      sum[i][j] = kNoSum;
  }
  uint at = params.first % params.ring;
  for (uint r = 0; r < params.count; ++r) {
    vec4 left = loadCache(rows, at * params.row_stride + y), right = loadCache(rows, at * params.row_stride + x);
    [[unroll]] for (uint i = 0; i < 4; ++i)
      [[unroll]] for (uint j = 0; j < 4; ++j) sum[i][j] = addProduct(sum[i][j], left[i], right[j]);
    if (++at == params.ring) at = 0;
  }
  [[unroll]] for (uint i = 0; i < 4; ++i) [[unroll]] for (uint j = 0; j < 4; ++j) {
    uint row = 4 * y + i, column = 4 * x + j;
    if (row >= params.width || column >= params.width) continue;
    gram.at[row * params.width + column] = sum[i][j];
    if (x != y) gram.at[column * params.width + row] = sum[i][j];
  }
}
