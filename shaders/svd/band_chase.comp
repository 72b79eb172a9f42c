#version 460
// From a band to tridiagonal form by chasing bulges (Schwarz 1968; by blocks Lang 1993). Sweep s makes column s tridiagonal: its
// hop 0 reflects rows s + 1 to s + BAND, which fills the block below; hop k reflects the next BAND rows so that this
// block's first column is zero again but for its head, and so on to the end. The rest of what a hop fills stays for the next
// sweep, a row further down, so elements lie up to 2 BAND - 1 below the diagonal.
//
// A workgroup takes SWEEPS sweeps, each two hops behind the one before, and goes STEPS hops ahead with all of them; its
// neighbours wait until it is past (LAG dispatches a group). Of a hop of rows I = [first, first + BAND):
//   block  I x the columns of the hop before: from the left, in columns
//   corner I x I: from both sides
//   next   the rows behind x I: from the right, in rows; it is the next hop's block and nobody else's until then
#extension GL_KHR_memory_scope_semantics : require
#pragma use_vulkan_memory_model
#include "common/device.glsl"
#include "svd/band.glsl"
#include "svd/band_chase.params.h"

layout(push_constant, scalar) uniform Push { BandChaseParams params; };

layout(constant_id = 0) const uint SWEEPS = 4;
layout(constant_id = 1) const uint STEPS = 8;
layout(constant_id = 2) const uint LAG = 2;  // (LAG - 1) STEPS >= 2 SWEEPS

layout(buffer_reference, scalar, buffer_reference_align = 8) workgroupcoherent buffer Elements { double at[]; };

const uint ROW = 2 * BAND, PADDED = BAND + 1;

shared double blocks[SWEEPS][2][BAND][PADDED];  // this hop's and the next, in turns
shared double corners[SWEEPS][BAND][PADDED];
shared double products[SWEEPS][BAND];  // corner v
shared double alphas[SWEEPS];

uint64_t band_of_matrix;
Elements element(uint row, uint column) {
  return Elements(band_of_matrix + uint64_t(row * ROW + row - column) * 8);
}

int hopsOf(uint sweep) { return sweep + 2 < params.n ? int((params.n - 2 - sweep) / BAND + 1) : 0; }

uint team, q;       // sweep of the group; place of the thread in it
bool of_corner;     // or of the blocks
double v[BAND];
Reflection r;

void reflectColumn(uint turn, uint first, bool starts) {
  if (starts) {
    if (q > 0) return;
    [[unroll]] for (uint i = 0; i < BAND; ++i) element(first + i, first - 1).at[0] = i == 0 ? r.alpha : 0.0lf;
    return;
  }
  double b[BAND], sum = 0.0lf;
  [[unroll]] for (uint i = 0; i < BAND; ++i) b[i] = blocks[team][turn][i][q];
  [[unroll]] for (uint i = 0; i < BAND; ++i) sum = fma(v[i], b[i], sum);
  sum *= -r.tau;
  [[unroll]] for (uint i = 0; i < BAND; ++i) {
    b[i] = fma(sum, v[i], b[i]);
    if (q == 0) b[i] = i == 0 ? r.alpha : 0.0lf;
    element(first + i, first - BAND + q).at[0] = b[i];
  }
}

// `met`: the sweep before is two hops ahead, and its new head is this block's last element, loaded too early.
void reflectRow(uint turn, bool met) {
  double b[BAND], sum = 0.0lf;
  [[unroll]] for (uint i = 0; i < BAND; ++i) b[i] = blocks[team][turn][q][i];
  if (met && q == BAND - 1) b[BAND - 1] = alphas[team - 1];
  [[unroll]] for (uint i = 0; i < BAND; ++i) sum = fma(b[i], v[i], sum);
  sum *= -r.tau;
  [[unroll]] for (uint i = 0; i < BAND; ++i) blocks[team][turn][q][i] = fma(sum, v[i], b[i]);
}

double multiplyCorner(out double row[BAND]) {
  double sum = 0.0lf;
  [[unroll]] for (uint i = 0; i < BAND; ++i) row[i] = corners[team][q][i];
  [[unroll]] for (uint i = 0; i < BAND; ++i) sum = fma(row[i], v[i], sum);
  products[team][q] = sum;
  return sum;
}

// Column q of the corner below the diagonal, which its row q is as well.
void updateCorner(uint first, double row[BAND], double own_product) {
  double p[BAND], quadratic = 0.0lf, own_v = 0.0lf;
  [[unroll]] for (uint i = 0; i < BAND; ++i) p[i] = products[team][i];
  [[unroll]] for (uint i = 0; i < BAND; ++i) {
    quadratic = fma(v[i], p[i], quadratic);
    if (i == q) own_v = v[i];
  }
  double bend = 0.5lf * r.tau * r.tau * quadratic, own_w = r.tau * own_product - bend * own_v;
  [[unroll]] for (uint i = 0; i < BAND; ++i) {
    double w = r.tau * p[i] - bend * v[i];
    if (i >= q) element(first + i, first + q).at[0] = row[i] - own_v * w - own_w * v[i];
  }
}

void main() {
  uint thread = gl_LocalInvocationIndex;
  of_corner = thread >= SWEEPS * BAND;
  team = thread / BAND % SWEEPS;
  q = thread % BAND;
  band_of_matrix = params.band + uint64_t(gl_WorkGroupID.y) * params.band_rows * ROW * 8;
  uint group = params.first_group + gl_WorkGroupID.x, sweep = group * SWEEPS + team;
  int hops = hopsOf(sweep);
  int hop = int(params.dispatch - LAG * group) * int(STEPS) - 2 * int(team);
  if (!of_corner && hop > 0 && hop < hops) {
    uint first = sweep + 1 + uint(hop) * BAND;
    [[unroll]] for (uint i = 0; i < BAND; ++i) blocks[team][hop % 2][i][q] = element(first + i, first - BAND + q).at[0];
  }
  barrier();
  for (uint step = 0; step < STEPS; ++step, ++hop) {
    bool moves = hop >= 0 && hop < hops;
    uint first = sweep + 1 + uint(max(hop, 0)) * BAND, turn = uint(hop) % 2;
    if (moves) {
      // The loads of what comes later go out before the square root is waited for.
      double ahead[BAND];
      if (of_corner) {
        [[unroll]] for (uint i = 0; i < BAND; ++i) ahead[i] = i >= q ? element(first + i, first + q).at[0] : 0.0lf;
      } else {
        [[unroll]] for (uint i = 0; i < BAND; ++i) ahead[i] = element(first + BAND + i, first + q).at[0];
      }
      double squares = 0.0lf;
      [[unroll]] for (uint i = 0; i < BAND; ++i) v[i] = hop == 0 ? element(first + i, sweep).at[0] : blocks[team][turn][i][0];
      [[unroll]] for (uint i = 0; i < BAND; ++i) squares = fma(v[i], v[i], squares);
      r = reflectionOf(squares, v[0]);
      v[0] -= r.alpha;
      if (of_corner) {
        [[unroll]] for (uint i = 0; i < BAND; ++i)
          if (i >= q) corners[team][i][q] = corners[team][q][i] = ahead[i];
      } else {
        [[unroll]] for (uint i = 0; i < BAND; ++i) blocks[team][1 - turn][i][q] = ahead[i];
        if (q == 0) alphas[team] = r.alpha;
      }
    }
    barrier();
    double row[BAND], own_product = 0.0lf;
    if (moves) {
      if (of_corner) own_product = multiplyCorner(row);
      else reflectColumn(turn, first, hop == 0);
    }
    barrier();
    if (moves) {
      if (of_corner) updateCorner(first, row, own_product);
      else reflectRow(1 - turn, team > 0 && hop + 2 < hopsOf(sweep - 1));
    }
    controlBarrier(gl_ScopeWorkgroup, gl_ScopeWorkgroup, gl_StorageSemanticsBuffer | gl_StorageSemanticsShared,
                   gl_SemanticsAcquireRelease);
  }
  if (!of_corner && hop > 0 && hop < hops) {
    uint first = sweep + 1 + uint(hop) * BAND;
    [[unroll]] for (uint i = 0; i < BAND; ++i) element(first + i, first - BAND + q).at[0] = blocks[team][hop % 2][i][q];
  }
}
