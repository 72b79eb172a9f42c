#version 460
// See band_panel.glsl. A thread a row of W; every workgroup makes T and T^T (V^T A V) T / 2 by itself.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint THREADS = GROUP_ROWS, AHEAD = 4;

shared double of_t[SQUARE], middle[SQUARE], half_way[SQUARE];

// Row r of T by the recurrence T[:c, c] = -tau_c T[:c, :c] (V^T v_c).
void makeRow(uint r) {
  Doubles o = overlaps();
  double t[BAND];
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    double sum = 0.0lf;
    [[unroll]] for (uint l = 0; l < c; ++l) sum = fma(t[l], l >= r ? o.at[l * BAND + c] : 0.0lf, sum);
    double tau = o.at[c * BAND + c];
    t[c] = c < r ? 0.0lf : c == r ? tau : -tau * sum;
    of_t[r * BAND + c] = t[c];
  }
}

void main() {
  uint thread = gl_LocalInvocationIndex, row = top() + gl_WorkGroupID.x * THREADS + thread, groups = params.groups;
  bool inside = row < params.n;
  double y[BAND], v[BAND];
  Doubles from_y = productsOf(0), from_v = panelV();
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    y[c] = inside ? from_y.at[c * params.stride + row] : 0.0lf;
    v[c] = inside ? from_v.at[c * params.stride + row] : 0.0lf;
  }
  Doubles parts = squareParts();
  for (uint i = thread; i < SQUARE; i += THREADS) {
    double sum = 0.0lf;
    for (uint first = 0; first < groups; first += AHEAD) {
      double part[AHEAD];
      [[unroll]] for (uint g = 0; g < AHEAD; ++g) part[g] = parts.at[min(first + g, groups - 1) * SQUARE + i];
      [[unroll]] for (uint g = 0; g < AHEAD; ++g)
        if (first + g < groups) sum += part[g];
    }
    middle[i] = sum;
  }
  if (thread < BAND) makeRow(thread);
  barrier();
  for (uint i = thread; i < SQUARE; i += THREADS) {
    uint a = i / BAND, b = i % BAND;
    double sum = 0.0lf;
    for (uint k = 0; k <= b; ++k) sum = fma(middle[a * BAND + k], of_t[k * BAND + b], sum);
    half_way[i] = sum;
  }
  barrier();
  for (uint i = thread; i < SQUARE; i += THREADS) {
    uint a = i / BAND, b = i % BAND;
    double sum = 0.0lf;
    for (uint k = 0; k <= a; ++k) sum = fma(of_t[k * BAND + a], half_way[k * BAND + b], sum);
    middle[i] = 0.5lf * sum;
  }
  barrier();
  if (!inside) return;
  Doubles w = panelW();
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    double sum = 0.0lf;
    [[unroll]] for (uint l = 0; l < BAND; ++l) {
      if (l <= c) sum = fma(y[l], of_t[l * BAND + c], sum);
      sum = fma(-v[l], middle[l * BAND + c], sum);
    }
    w.at[c * params.stride + row] = sum;
  }
}
