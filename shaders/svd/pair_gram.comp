#version 460
// variants: pair
// gram.comp in pairs of floats: G = A A^T or A^T A, whichever is smaller. Of a stretch of DEPTH the products are
// summed with their rounding errors apart (Ogita, Rump, Oishi 2005, Dot2), and the stretches as pairs.
#include "common/device.glsl"
#include "svd/pairs.glsl"
#include "svd/triangle.glsl"
#include "svd/gram.params.h"

layout(push_constant, scalar) uniform Push { GramParams params; };

layout(constant_id = 0) const bool WIDE = false;  // rows < columns: G = A A^T
const uint TILE = 64, DEPTH = 16, EACH = 4, SIDE = TILE / EACH, THREADS = SIDE * SIDE;

shared float left[DEPTH][TILE + 2], right[DEPTH][TILE + 2];

// Element `k` along the long side of vector `i`, zero beyond the ends.
float elementAt(Floats matrix, uint i, uint k) {
  if (i >= params.n || k >= params.long_side) return 0.0;
  return matrix.at[WIDE ? i * params.columns + k : k * params.columns + i];
}

void loadStretch(Floats matrix, uvec2 tile, uint first) {
  barrier();
  for (uint item = gl_LocalInvocationIndex; item < TILE * DEPTH; item += THREADS) {
    // Neighbouring threads read neighbours in memory.
    uint i = WIDE ? item / DEPTH : item % TILE, k = WIDE ? item % DEPTH : item / TILE;
    left[k][i] = elementAt(matrix, tile.x * TILE + i, first + k);
    right[k][i] = elementAt(matrix, tile.y * TILE + i, first + k);
  }
  barrier();
}

void main() {
  uvec2 tile = triangle(gl_WorkGroupID.x);
  uint x = gl_LocalInvocationIndex % SIDE, y = gl_LocalInvocationIndex / SIDE;
  Floats matrix = Floats(params.a + uint64_t(gl_WorkGroupID.y) * params.n * params.long_side * 4);
  vec2 sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = vec2(0.0);
  for (uint first = 0; first < params.long_side; first += DEPTH) {
    loadStretch(matrix, tile, first);
    vec2 part[EACH][EACH];  // the sum, and that of what rounding took from it
    [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) part[i][j] = vec2(0.0);
    for (uint k = 0; k < DEPTH; ++k) {
      float l[EACH], r[EACH];
      [[unroll]] for (uint i = 0; i < EACH; ++i) {
        l[i] = left[k][y * EACH + i];
        r[i] = right[k][x + SIDE * i];
      }
      [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
        vec2 product = twoProduct(l[i], r[j]), next = twoSum(part[i][j].x, product.x);
        precise float lost = part[i][j].y + (next.y + product.y);
        part[i][j] = vec2(next.x, lost);
      }
    }
    [[unroll]] for (uint i = 0; i < EACH; ++i)
      [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = add(sum[i][j], part[i][j]);
  }
  Pairs gram = Pairs(params.gram + uint64_t(gl_WorkGroupID.y) * params.n * params.stride * 8);
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = tile.x * TILE + y * EACH + i, column = tile.y * TILE + x + SIDE * j;
    // Beyond n lie zeros, up to the stride.
    if (row < params.n && column < params.stride) gram.at[row * params.stride + column] = sum[i][j];
    if (column < params.n && row < params.stride && tile.x != tile.y)
      gram.at[column * params.stride + row] = sum[i][j];
  }
}
