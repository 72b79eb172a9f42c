#version 460
// See band_panel.glsl. A thread a row: adds the slots of A V into the first, and, for its workgroup's rows, V^T A V.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint THREADS = GROUP_ROWS, EACH = 4, GROUPS = THREADS / (BAND / EACH * BAND / EACH);

shared double of_v[THREADS * BAND], of_y[THREADS * BAND];

// Turned by the row, which keeps lanes on different banks.
uint placeOf(uint row, uint c) { return row * BAND + (c + row) % BAND; }

void main() {
  uint thread = gl_LocalInvocationIndex, row = top() + gl_WorkGroupID.x * THREADS + thread;
  Doubles v = panelV();
  double y[BAND];
  [[unroll]] for (uint c = 0; c < BAND; ++c) y[c] = 0.0lf;
  uint read = min(row, params.n - 1);
  for (uint slot = 0; slot < params.slots; slot += 2) {
    Doubles from = productsOf(slot), next = productsOf(min(slot + 1, params.slots - 1));
    double one[BAND], two[BAND];
    [[unroll]] for (uint c = 0; c < BAND; ++c) {
      one[c] = from.at[c * params.stride + read];
      two[c] = next.at[c * params.stride + read];
    }
    [[unroll]] for (uint c = 0; c < BAND; ++c) y[c] += one[c] + (slot + 1 < params.slots ? two[c] : 0.0lf);
  }
  double of_row[BAND];
  [[unroll]] for (uint c = 0; c < BAND; ++c) of_row[c] = v.at[c * params.stride + read];
  bool inside = row < params.n;
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    if (inside) productsOf(0).at[c * params.stride + row] = y[c];
    of_v[placeOf(thread, c)] = inside ? of_row[c] : 0.0lf;
    of_y[placeOf(thread, c)] = inside ? y[c] : 0.0lf;
  }
  barrier();
  // Blocks of EACH x EACH, the rows shared out among groups of threads.
  uint block = thread % 16, group = thread / 16, a0 = block / 4 * EACH, b0 = block % 4 * EACH;
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = 0.0lf;
  for (uint r = group; r < THREADS; r += GROUPS) {
    double a[EACH], b[EACH];
    [[unroll]] for (uint i = 0; i < EACH; ++i) {
      a[i] = of_v[placeOf(r, a0 + i)];
      b[i] = of_y[placeOf(r, b0 + i)];
    }
    [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = fma(a[i], b[j], sum[i][j]);
  }
  barrier();
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j)
    of_v[group * SQUARE + (a0 + i) * BAND + b0 + j] = sum[i][j];
  barrier();
  Doubles to = squareParts();
  for (uint i = thread; i < SQUARE; i += THREADS) {
    double all = 0.0lf;
    [[unroll]] for (uint g = 0; g < GROUPS; ++g) all += of_v[g * SQUARE + i];
    to.at[gl_WorkGroupID.x * SQUARE + i] = all;
  }
}
