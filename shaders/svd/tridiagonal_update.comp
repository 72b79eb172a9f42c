#version 460
// See tridiagonal.glsl. A workgroup a quarter of a tile of tridiagonal_product.comp, which reads those on the diagonal
// whole.
#include "common/device.glsl"
#include "svd/tridiagonal.glsl"

const uint BLOCK = 64, THREADS = 256, EACH = 4, DEPTH = 8;

shared double left_v[DEPTH][BLOCK + 2], left_w[DEPTH][BLOCK + 2], right_v[DEPTH][BLOCK + 2], right_w[DEPTH][BLOCK + 2];

void main() {
  uint quarter = gl_WorkGroupID.x % 4, behind = params.column;
  uvec2 corner = (triangle(gl_WorkGroupID.x / 4) + behind / TILE) * TILE + uvec2(quarter / 2, quarter % 2) * BLOCK;
  uint row0 = corner.x, column0 = corner.y;
  if (row0 + BLOCK <= behind || column0 + BLOCK <= behind || row0 >= params.n || column0 >= params.n) return;
  uint thread = gl_LocalInvocationIndex, x = thread % 16, y = thread / 16;
  Doubles v = panelV(), w = panelW(), a = gram();
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = 0.0lf;
  for (uint first = 0; first < params.width; first += DEPTH) {
    for (uint item = thread; item < BLOCK * DEPTH; item += THREADS) {
      uint k = item / BLOCK, i = item % BLOCK, at = (first + k) * params.stride;
      bool has_row = row0 + i < params.n, has_column = column0 + i < params.n;
      left_v[k][i] = has_row ? v.at[at + row0 + i] : 0.0lf;
      left_w[k][i] = has_row ? w.at[at + row0 + i] : 0.0lf;
      right_v[k][i] = has_column ? v.at[at + column0 + i] : 0.0lf;
      right_w[k][i] = has_column ? w.at[at + column0 + i] : 0.0lf;
    }
    barrier();
    for (uint k = 0; k < DEPTH; ++k) {
      double rv[EACH], rw[EACH];
      [[unroll]] for (uint j = 0; j < EACH; ++j) {
        rv[j] = right_v[k][x + 16 * j];
        rw[j] = right_w[k][x + 16 * j];
      }
      [[unroll]] for (uint i = 0; i < EACH; ++i) {
        double lv = left_v[k][y * EACH + i], lw = left_w[k][y * EACH + i];
        [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = fma(lv, rw[j], fma(lw, rv[j], sum[i][j]));
      }
    }
    barrier();
  }
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = row0 + y * EACH + i, column = column0 + x + 16 * j;
    if (min(row, column) >= behind && max(row, column) < params.n) a.at[row * params.stride + column] -= sum[i][j];
  }
}
