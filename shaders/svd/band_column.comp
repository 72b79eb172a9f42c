#version 460
// See band_panel.glsl. A row of the panel is several threads, each with some of its columns: all of this code runs once,
// so that short code, which fetches faster, is fast code. Step BAND only finishes the last column.
#include "common/device.glsl"
#include "svd/band_panel.glsl"

const uint OF_THREAD = 4, PARTS = BAND / OF_THREAD;  // columns of a thread; threads of a row
const uint THREADS = GROUP_ROWS * PARTS, AHEAD = 4;

shared double totals[BAND];
shared double of_subgroup[THREADS / 8][OF_THREAD];  // a subgroup has 8 lanes at least

// The diagonal block in front of the panel, which nothing changes any more.
void keepDiagonalBlock() {
  Doubles a = gram(), to = band();
  for (uint i = gl_LocalInvocationIndex; i < SQUARE; i += THREADS) {
    uint row = params.column + i / BAND, column = params.column + i % BAND;
    if (row >= column && row < params.n) to.at[row * 2 * BAND + row - column] = a.at[row * params.stride + column];
  }
}

// A subgroup a column.
void loadTotals() {
  Doubles from = partsOf(params.step - 1);
  for (uint c = gl_SubgroupID; c < BAND; c += gl_NumSubgroups) {
    double sum = 0.0lf;
    for (uint first = lane(); first < params.groups; first += AHEAD * LANES) {
      double part[AHEAD];
      [[unroll]] for (uint i = 0; i < AHEAD; ++i) part[i] = from.at[c * params.room + min(first + i * LANES, params.groups - 1)];
      [[unroll]] for (uint i = 0; i < AHEAD; ++i)
        if (first + i * LANES < params.groups) sum += part[i];
    }
    sum = subgroupAdd(sum);
    if (lane() == 0) totals[c] = sum;
  }
  barrier();
}

void main() {
  uint first = gl_LocalInvocationIndex / GROUP_ROWS * OF_THREAD;  // of this thread's columns
  uint row = top() + gl_WorkGroupID.x * GROUP_ROWS + gl_LocalInvocationIndex % GROUP_ROWS;
  uint step = params.step, head = top() + step;
  bool inside = row < params.n;
  uint read = min(row, params.n - 1), before = max(step, 1) - 1;
  // Where column 0 of the panel lies: at first in the matrix, whose rows are its columns.
  Doubles panel = panelV(), from = step == 0 ? Doubles(uint64_t(gram()) + uint64_t(params.column * params.stride) * 8) : panel;
  uint last = step == 0 ? min(BAND - 1, params.n - 1 - params.column) : BAND - 1;
  Doubles heads = headsOf(before), next_heads = headsOf(step);
  double p[OF_THREAD], of_heads[OF_THREAD];
  [[unroll]] for (uint j = 0; j < OF_THREAD; ++j) {
    p[j] = from.at[min(first + j, last) * params.stride + read];
    of_heads[j] = heads.at[first + j];
  }
  double x = from.at[min(step, BAND - 1) * params.stride + read], v = from.at[before * params.stride + read];
  double x_head = heads.at[min(step, BAND - 1)], v_head = heads.at[before];
  if (!inside || row < head) x = 0.0lf;
  if (!inside || row + 1 < head) v = 0.0lf;
  [[unroll]] for (uint j = 0; j < OF_THREAD; ++j)
    if (!inside) p[j] = 0.0lf;
  if (step == 0) {
    if (gl_WorkGroupID.x == 0) keepDiagonalBlock();
  } else {
    // The reflection of the column before.
    loadTotals();
    Reflection r = reflectionOf(totals[before], v_head);
    if (row + 1 == head) v -= r.alpha;
    if (row >= head) x -= r.tau * (totals[min(step, BAND - 1)] - r.alpha * x_head) * v;
    [[unroll]] for (uint j = 0; j < OF_THREAD; ++j) {
      uint c = first + j;
      double overlap = totals[c] - r.alpha * of_heads[j];
      if (c > before) p[j] -= r.tau * overlap * v;
      if (c == before) p[j] = v;
      if (row + 1 == head && inside && c >= before)
        band().at[row * 2 * BAND + row - params.column - c] = c == before ? r.alpha : p[j];
      if (row == top() && c <= before) overlaps().at[c * BAND + before] = c == before ? r.tau : overlap;
    }
  }
  [[unroll]] for (uint j = 0; j < OF_THREAD; ++j)
    if (inside && first + j + 1 >= step) panel.at[(first + j) * params.stride + row] = p[j];
  if (step == BAND) return;

  // Parts of x^T (V, P) for the next step, and their rows at its head.
  [[unroll]] for (uint j = 0; j < OF_THREAD; ++j) {
    if (row == head) next_heads.at[first + j] = p[j];
    double sum = subgroupAdd(x * p[j]);
    if (lane() == 0) of_subgroup[gl_SubgroupID][j] = sum;
  }
  barrier();
  uint c = gl_LocalInvocationIndex, subgroups = GROUP_ROWS / LANES;
  if (c >= BAND) return;
  double sum = 0.0lf;
  for (uint i = 0; i < subgroups; ++i) sum += of_subgroup[c / OF_THREAD * subgroups + i][c % OF_THREAD];
  partsOf(step).at[c * params.room + gl_WorkGroupID.x] = sum;
}
