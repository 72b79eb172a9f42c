#version 460
// See band_panel.glsl. A workgroup a tile on or below the diagonal, and the mirrored tile.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint THREADS = 256, BLOCK = 64, EACH = 4, ROW = BLOCK;
const uint LEFT_V = 0, LEFT_W = BAND * ROW, RIGHT_V = 2 * BAND * ROW, RIGHT_W = 3 * BAND * ROW;

shared double pool[4 * BAND * ROW];  // rows of V and W; then the tile, mirrored

// Turned by the row, which keeps lanes on different banks.
uint mirroredAt(uint row, uint column) { return row * BLOCK + (row + column) % BLOCK; }

uvec2 triangle(uint tile) {
  uint row = uint((sqrt(8.0 * float(tile) + 1.0) - 1.0) / 2.0);
  while (row * (row + 1) / 2 > tile) --row;
  while ((row + 1) * (row + 2) / 2 <= tile) ++row;
  return uvec2(row, tile - row * (row + 1) / 2);
}

void loadPanels(uint row0, uint column0) {
  Doubles v = panelV(), w = panelW();
  for (uint item = gl_LocalInvocationIndex; item < BLOCK * BAND; item += THREADS) {
    uint k = item / BLOCK, i = item % BLOCK, at = k * params.stride, to = k * ROW + i;
    bool has_row = row0 + i < params.n, has_column = column0 + i < params.n;
    pool[LEFT_V + to] = has_row ? v.at[at + row0 + i] : 0.0lf;
    pool[LEFT_W + to] = has_row ? w.at[at + row0 + i] : 0.0lf;
    pool[RIGHT_V + to] = has_column ? v.at[at + column0 + i] : 0.0lf;
    pool[RIGHT_W + to] = has_column ? w.at[at + column0 + i] : 0.0lf;
  }
}

void main() {
  uvec2 place = triangle(gl_WorkGroupID.x);
  uint row0 = top() + place.x * BLOCK, column0 = top() + place.y * BLOCK;
  uint thread = gl_LocalInvocationIndex, x = thread % 16, y = thread / 16;
  Doubles a = gram();
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = row0 + y * EACH + i, column = column0 + x + 16 * j;
    sum[i][j] = row < params.n && column < params.n ? a.at[row * params.stride + column] : 0.0lf;
  }
  loadPanels(row0, column0);
  barrier();
  for (uint k = 0; k < BAND; ++k) {
    double rv[EACH], rw[EACH];
    [[unroll]] for (uint j = 0; j < EACH; ++j) {
      rv[j] = pool[RIGHT_V + k * ROW + x + 16 * j];
      rw[j] = pool[RIGHT_W + k * ROW + x + 16 * j];
    }
    [[unroll]] for (uint i = 0; i < EACH; ++i) {
      double lv = -pool[LEFT_V + k * ROW + y * EACH + i], lw = -pool[LEFT_W + k * ROW + y * EACH + i];
      [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = fma(lv, rw[j], fma(lw, rv[j], sum[i][j]));
    }
  }
  barrier();
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = row0 + y * EACH + i, column = column0 + x + 16 * j;
    if (row < params.n && column < params.n) a.at[row * params.stride + column] = sum[i][j];
    pool[mirroredAt(x + 16 * j, y * EACH + i)] = sum[i][j];
  }
  if (place.x == place.y) return;
  barrier();
  for (uint item = thread; item < BLOCK * BLOCK; item += THREADS) {
    uint row = column0 + item / BLOCK, column = row0 + item % BLOCK;
    if (row < params.n && column < params.n)
      a.at[row * params.stride + column] = pool[mirroredAt(item / BLOCK, item % BLOCK)];
  }
}
