#version 460
// See band_panel.glsl. A thread a row of the panel; step BAND only finishes the last column.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint THREADS = GROUP_ROWS, AHEAD = 4;

shared double tile[THREADS][BAND + 1];
shared double of_group[THREADS / BAND][BAND], totals[BAND], heads[BAND];

// The diagonal block in front of the panel, which nothing changes any more.
void keepDiagonalBlock() {
  Doubles a = gram(), to = band();
  for (uint i = gl_LocalInvocationIndex; i < SQUARE; i += THREADS) {
    uint row = params.column + i / BAND, column = params.column + i % BAND;
    if (row >= column && row < params.n) to.at[row * 2 * BAND + row - column] = a.at[row * params.stride + column];
  }
}

void loadTotals() {
  uint c = gl_LocalInvocationIndex % BAND, groups = params.groups;
  Doubles from = partsOf(params.step - 1);
  double sum = 0.0lf;
  const uint EVERY = THREADS / BAND;
  for (uint first = gl_LocalInvocationIndex / BAND; first < groups; first += AHEAD * EVERY) {
    double part[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) part[i] = from.at[min(first + i * EVERY, groups - 1) * BAND + c];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i)
      if (first + i * EVERY < groups) sum += part[i];
  }
  of_group[gl_LocalInvocationIndex / BAND][c] = sum;
  if (gl_LocalInvocationIndex < BAND) heads[c] = headsOf(params.step - 1).at[c];
  barrier();
  if (gl_LocalInvocationIndex < BAND) {
    sum = 0.0lf;
    [[unroll]] for (uint i = 0; i < EVERY; ++i) sum += of_group[i][c];
    totals[c] = sum;
  }
  barrier();
}

// Applies the reflection of the column before to this row and keeps what is final.
void reflect(uint row, inout double p[BAND]) {
  uint before = params.step - 1, head = top() + before;
  Reflection r = reflectionOf(totals[before], heads[before]);
  double v = 0.0lf;
  [[unroll]] for (uint c = 0; c < BAND; ++c)
    if (c == before) v = row > head ? p[c] : row == head ? p[c] - r.alpha : 0.0lf;
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    if (c > before) p[c] -= r.tau * (totals[c] - r.alpha * heads[c]) * v;
    if (row == head && row < params.n && c >= before)
      band().at[row * 2 * BAND + row - params.column - c] = c == before ? r.alpha : p[c];
    if (c == before) p[c] = v;
  }
  uint c = gl_LocalInvocationIndex;
  if (gl_WorkGroupID.x == 0 && c <= before)
    overlaps().at[c * BAND + before] = c == before ? r.tau : totals[c] - r.alpha * heads[c];
}

// Parts of x^T (V, P), and their rows at its head.
void sumProducts(uint row, double p[BAND]) {
  uint head = top() + params.step, thread = gl_LocalInvocationIndex;
  double x = 0.0lf;
  [[unroll]] for (uint c = 0; c < BAND; ++c)
    if (c == params.step && row >= head) x = p[c];
  [[unroll]] for (uint c = 0; c < BAND; ++c) tile[thread][c] = x * p[c];
  if (row == head) {
    [[unroll]] for (uint c = 0; c < BAND; ++c) headsOf(params.step).at[c] = row < params.n ? p[c] : 0.0lf;
  }
  barrier();
  double sum = 0.0lf;
  uint c = thread % BAND, group = thread / BAND;
  [[unroll]] for (uint i = 0; i < BAND; ++i) sum += tile[group * BAND + i][c];
  of_group[group][c] = sum;
  barrier();
  if (thread >= BAND) return;
  sum = 0.0lf;
  [[unroll]] for (uint i = 0; i < THREADS / BAND; ++i) sum += of_group[i][c];
  partsOf(params.step).at[gl_WorkGroupID.x * BAND + c] = sum;
}

void main() {
  uint row = top() + gl_WorkGroupID.x * THREADS + gl_LocalInvocationIndex;
  bool inside = row < params.n;
  double p[BAND];
  Doubles v = panelV(), a = gram();
  [[unroll]] for (uint c = 0; c < BAND; ++c) {
    p[c] = 0.0lf;
    if (inside) p[c] = params.step == 0 ? a.at[(params.column + c) * params.stride + row] : v.at[c * params.stride + row];
  }
  if (params.step == 0 && gl_WorkGroupID.x == 0) keepDiagonalBlock();
  if (params.step > 0) {
    loadTotals();
    reflect(row, p);
  }
  [[unroll]] for (uint c = 0; c < BAND; ++c)
    if (inside && c + 1 >= params.step) v.at[c * params.stride + row] = p[c];
  if (params.step < BAND) sumProducts(row, p);
}
