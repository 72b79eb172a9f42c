#version 460
// See band_panel.glsl. A workgroup 64 rows of A V over a part of the columns, in four groups of threads that share these out.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint THREADS = 256, ROWS = 64, DEPTH = 32, GROUPS = 4, EACH = 4;
const uint A_ROW = DEPTH + 2, V_ROW = BAND + 2;

shared double pool[GROUPS * BAND * ROWS];  // a tile of A and one of V; then the groups' sums

const uint OF_V = ROWS * A_ROW;
const uint PAIRS = ROWS * DEPTH / 2 / THREADS, OF_THREAD = DEPTH * BAND / THREADS;

// Of the sums; turned by the column, which keeps lanes on different banks.
uint sumAt(uint group, uint c, uint row) { return (group * BAND + c) * ROWS + (row + c) % ROWS; }

struct Ahead {
  dvec2 a[PAIRS];
  double v[OF_THREAD];
};

Ahead loadTile(uint row0, uint k0) {
  Ahead ahead;
  uint64_t a = uint64_t(gram());
  Doubles v = panelV();
  [[unroll]] for (uint u = 0; u < PAIRS; ++u) {
    uint item = gl_LocalInvocationIndex + u * THREADS, row = row0 + item / (DEPTH / 2), k = k0 + item % (DEPTH / 2) * 2;
    ahead.a[u] = DoublePairs(a).at[(min(row, params.n - 1) * params.stride + min(k, params.stride - 2)) / 2];
  }
  [[unroll]] for (uint u = 0; u < OF_THREAD; ++u) {
    uint item = gl_LocalInvocationIndex + u * THREADS, k = k0 + item % DEPTH;
    ahead.v[u] = v.at[item / DEPTH * params.stride + min(k, params.n - 1)];
  }
  return ahead;
}

void keepTile(Ahead ahead, uint k0) {
  [[unroll]] for (uint u = 0; u < PAIRS; ++u) {
    uint item = gl_LocalInvocationIndex + u * THREADS, at = item / (DEPTH / 2) * A_ROW + item % (DEPTH / 2) * 2;
    uint k = k0 + item % (DEPTH / 2) * 2;
    pool[at] = k < params.n ? ahead.a[u].x : 0.0lf;
    pool[at + 1] = k + 1 < params.n ? ahead.a[u].y : 0.0lf;
  }
  [[unroll]] for (uint u = 0; u < OF_THREAD; ++u) {
    uint item = gl_LocalInvocationIndex + u * THREADS;
    pool[OF_V + item % DEPTH * V_ROW + item / DEPTH] = k0 + item % DEPTH < params.n ? ahead.v[u] : 0.0lf;
  }
}

void main() {
  uint blocks = (params.n - top() + ROWS - 1) / ROWS, tiles = (params.n - top() + DEPTH - 1) / DEPTH;
  uint row0 = top() + gl_WorkGroupID.x % blocks * ROWS, slot = gl_WorkGroupID.x / blocks;
  uint each = (tiles + params.slots - 1) / params.slots, first = slot * each, end = min(first + each, tiles);
  uint thread = gl_LocalInvocationIndex, group = thread / (THREADS / GROUPS), x = thread % EACH, y = thread / EACH % 16;
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = 0.0lf;
  Ahead ahead;
  if (first < end) ahead = loadTile(row0, top() + first * DEPTH);
  for (uint tile = first; tile < end; ++tile) {
    keepTile(ahead, top() + tile * DEPTH);
    barrier();
    if (tile + 1 < end) ahead = loadTile(row0, top() + (tile + 1) * DEPTH);
    [[unroll]] for (uint kk = 0; kk < DEPTH / GROUPS; ++kk) {
      uint k = group * (DEPTH / GROUPS) + kk;
      double a[EACH], v[EACH];
      [[unroll]] for (uint i = 0; i < EACH; ++i) a[i] = pool[(y + 16 * i) * A_ROW + k];
      [[unroll]] for (uint j = 0; j < EACH; ++j) v[j] = pool[OF_V + k * V_ROW + x * EACH + j];
      [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = fma(a[i], v[j], sum[i][j]);
    }
    barrier();
  }
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j)
    pool[sumAt(group, x * EACH + j, y + 16 * i)] = sum[i][j];
  barrier();
  Doubles to = productsOf(slot);
  [[unroll]] for (uint u = 0; u < ROWS * BAND / THREADS; ++u) {
    uint item = thread + u * THREADS, c = item / ROWS, row = item % ROWS;
    double all = 0.0lf;
    [[unroll]] for (uint g = 0; g < GROUPS; ++g) all += pool[sumAt(g, c, row)];
    if (row0 + row < params.n) to.at[c * params.stride + row0 + row] = all;
  }
}
