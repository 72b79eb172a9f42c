#version 460
// See band_panel.glsl. A thread a row of W; every workgroup makes T and T^T (V^T A V) T / 2 by itself.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint THREADS = GROUP_ROWS, AHEAD = 8, EACH = SQUARE / THREADS;

shared double of_t[SQUARE], middle[SQUARE], half_way[SQUARE], overlap[SQUARE];

// Row r of T by the recurrence T[:c, c] = -tau_c T[:c, :c] (V^T v_c).
void makeRow(uint r) {
  double t[BAND];
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    double sum = 0.0lf;
    [[unroll]] for (uint l = 0; l < c; ++l) sum = fma(t[l], l >= r ? overlap[l * BAND + c] : 0.0lf, sum);
    double tau = overlap[c * BAND + c];
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
    y[c] = from_y.at[c * params.stride + min(row, params.n - 1)];
    v[c] = from_v.at[c * params.stride + min(row, params.n - 1)];
  }
  Doubles parts = squareParts(), from_overlap = overlaps();
  double sum[EACH];
  [[unroll]] for (uint e = 0; e < EACH; ++e) {
    sum[e] = 0.0lf;
    overlap[thread + e * THREADS] = from_overlap.at[thread + e * THREADS];
  }
  barrier();
  if (thread < BAND) makeRow(thread);
  for (uint first = 0; first < groups; first += AHEAD) {
    double part[EACH][AHEAD];
    [[unroll]] for (uint e = 0; e < EACH; ++e) [[unroll]] for (uint g = 0; g < AHEAD; ++g)
      part[e][g] = parts.at[min(first + g, groups - 1) * SQUARE + thread + e * THREADS];
    [[unroll]] for (uint e = 0; e < EACH; ++e) [[unroll]] for (uint g = 0; g < AHEAD; ++g)
      if (first + g < groups) sum[e] += part[e][g];
  }
  [[unroll]] for (uint e = 0; e < EACH; ++e) middle[thread + e * THREADS] = sum[e];
  barrier();
  // T has zeros below its diagonal.
  [[unroll]] for (uint e = 0; e < EACH; ++e) {
    uint i = thread + e * THREADS, a = i / BAND, b = i % BAND;
    sum[e] = 0.0lf;
    [[unroll]] for (uint k = 0; k < BAND; ++k) sum[e] = fma(middle[a * BAND + k], of_t[k * BAND + b], sum[e]);
    half_way[i] = sum[e];
  }
  barrier();
  [[unroll]] for (uint e = 0; e < EACH; ++e) {
    uint i = thread + e * THREADS, a = i / BAND, b = i % BAND;
    sum[e] = 0.0lf;
    [[unroll]] for (uint k = 0; k < BAND; ++k) sum[e] = fma(of_t[k * BAND + a], half_way[k * BAND + b], sum[e]);
    middle[i] = 0.5lf * sum[e];
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
