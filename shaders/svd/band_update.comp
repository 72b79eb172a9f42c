#version 460
// See band_panel.glsl. A workgroup a tile on or below the diagonal, and the mirrored tile.
#include "common/device.glsl"
#include "svd/band_panel.glsl"
#include "svd/triangle.glsl"

const uint BLOCK = 64, EACH = 4, SIDE = BLOCK / EACH, THREADS = SIDE * SIDE, ROW = BLOCK;
const uint LEFT_V = 0, LEFT_W = BAND * ROW, RIGHT_V = 2 * BAND * ROW, RIGHT_W = 3 * BAND * ROW;

shared double pool[4 * BAND * ROW];  // rows of V and W; then the tile, mirrored

// Turned by the row, which keeps lanes on different banks.
uint mirroredAt(uint row, uint column) { return row * BLOCK + (row + column) % BLOCK; }

void loadPanels(uint row0, uint column0) {
  Doubles v = panelV(), w = panelW();
  [[unroll]] for (uint u = 0; u < BLOCK * BAND / THREADS; ++u) {
    uint item = gl_LocalInvocationIndex + u * THREADS, k = item / BLOCK, i = item % BLOCK, at = k * params.stride, to = k * ROW + i;
    uint row = min(row0 + i, params.n - 1), column = min(column0 + i, params.n - 1);
    pool[LEFT_V + to] = v.at[at + row];
    pool[LEFT_W + to] = w.at[at + row];
    pool[RIGHT_V + to] = v.at[at + column];
    pool[RIGHT_W + to] = w.at[at + column];
  }
}

void main() {
  uvec2 place = triangle(gl_WorkGroupID.x);
  uint row0 = top() + place.x * BLOCK, column0 = top() + place.y * BLOCK;
  uint thread = gl_LocalInvocationIndex, x = thread % SIDE, y = thread / SIDE;
  Doubles a = gram();
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = row0 + y * EACH + i, column = column0 + x + SIDE * j;
    sum[i][j] = a.at[min(row, params.n - 1) * params.stride + min(column, params.n - 1)];
  }
  loadPanels(row0, column0);
  barrier();
  for (uint k = 0; k < BAND; ++k) {
    double rv[EACH], rw[EACH];
    [[unroll]] for (uint j = 0; j < EACH; ++j) {
      rv[j] = pool[RIGHT_V + k * ROW + x + SIDE * j];
      rw[j] = pool[RIGHT_W + k * ROW + x + SIDE * j];
    }
    [[unroll]] for (uint i = 0; i < EACH; ++i) {
      double lv = -pool[LEFT_V + k * ROW + y * EACH + i], lw = -pool[LEFT_W + k * ROW + y * EACH + i];
      [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = fma(lv, rw[j], fma(lw, rv[j], sum[i][j]));
    }
  }
  barrier();
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = row0 + y * EACH + i, column = column0 + x + SIDE * j;
    if (row < params.n && column < params.n) a.at[row * params.stride + column] = sum[i][j];
    pool[mirroredAt(x + SIDE * j, y * EACH + i)] = sum[i][j];
  }
  if (place.x == place.y) return;
  barrier();
  for (uint item = thread; item < BLOCK * BLOCK; item += THREADS) {
    uint row = column0 + item / BLOCK, column = row0 + item % BLOCK;
    if (row < params.n && column < params.n)
      a.at[row * params.stride + column] = pool[mirroredAt(item / BLOCK, item % BLOCK)];
  }
}
