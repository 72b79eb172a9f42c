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
layout(constant_id = 1) const uint STEPS = 4;
layout(constant_id = 2) const uint LAG = 3;  // (LAG - 1) STEPS >= 2 SWEEPS

layout(buffer_reference, scalar, buffer_reference_align = 8) nonprivate buffer Elements { double at[]; };

const uint ROW = 2 * BAND;

shared double blocks[SWEEPS][2][BAND][BAND];  // this hop's and the next, in turns
shared double corners[SWEEPS][BAND][BAND];
// Where column c of row i lies: turned by the row, which keeps lanes on different banks.
uint turned(uint i, uint c) { return (i + c) % BAND; }

shared double products[SWEEPS][BAND];  // corner v
shared double alphas[SWEEPS];

const uint BELOW = ROW + 1;  // from an element to the one below

uint64_t band_of_matrix;
// The one at `row` and `column`; also one above the diagonal, from where BELOW leads to those below.
Elements element(uint row, uint column) {
  return Elements(band_of_matrix + uint64_t(row * BELOW - column) * 8);
}

int hopsOf(uint sweep) { return sweep + 2 < params.n ? int((params.n - 2 - sweep) / BAND + 1) : 0; }

uint team, q;       // sweep of the group; place of the thread in it
bool of_corner;     // or of the blocks
double v[BAND];
Reflection r;

double product(double a[BAND], double b[BAND]) {
  double sum[4] = {0.0lf, 0.0lf, 0.0lf, 0.0lf};  // a sum of its own for every fourth, since one waits for the other
  [[unroll]] for (uint i = 0; i < BAND; ++i) sum[i % 4] = fma(a[i], b[i], sum[i % 4]);
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void loadBlock(uint turn, Elements from) {
  [[unroll]] for (uint i = 0; i < BAND; ++i) blocks[team][turn][i][turned(i, q)] = from.at[i * BELOW];
}

// Column q of this hop's block, which is final for this sweep.
void reflectColumn(uint turn, uint first, bool starts) {
  if (starts) {
    if (q > 0) return;
    Elements to = element(first, first - 1);
    [[unroll]] for (uint i = 0; i < BAND; ++i) to.at[i * BELOW] = i == 0 ? r.alpha : 0.0lf;
    return;
  }
  double b[BAND];
  [[unroll]] for (uint i = 0; i < BAND; ++i) b[i] = blocks[team][turn][i][turned(i, q)];
  double by = -r.tau * product(v, b);
  Elements to = element(first, first - BAND + q);
  [[unroll]] for (uint i = 0; i < BAND; ++i) {
    b[i] = fma(by, v[i], b[i]);
    if (q == 0) b[i] = i == 0 ? r.alpha : 0.0lf;
    to.at[i * BELOW] = b[i];
  }
}

// Row q of the next hop's. `meets`: the sweep before is two hops ahead, and its new head is this block's last element.
void reflectRow(uint turn, bool meets) {
  double b[BAND];
  [[unroll]] for (uint i = 0; i < BAND; ++i) b[i] = blocks[team][turn][q][turned(q, i)];
  if (meets && q == BAND - 1) b[BAND - 1] = alphas[team - 1];
  double by = -r.tau * product(v, b);
  [[unroll]] for (uint i = 0; i < BAND; ++i) blocks[team][turn][q][turned(q, i)] = fma(by, v[i], b[i]);
}

// Column q of the corner from the diagonal on, which its row q is as well.
void updateCorner(uint first, double row[BAND], double own_product) {
  double p[BAND], own_v = 0.0lf;
  [[unroll]] for (uint i = 0; i < BAND; ++i) p[i] = products[team][i];
  [[unroll]] for (uint i = 0; i < BAND; ++i)
    if (i == q) own_v = v[i];
  double bend = 0.5lf * r.tau * r.tau * product(v, p), own_w = r.tau * own_product - bend * own_v;
  Elements to = element(first, first + q);
  [[unroll]] for (uint i = 0; i < BAND; ++i)
    if (i >= q) to.at[i * BELOW] = row[i] - own_v * (r.tau * p[i] - bend * v[i]) - own_w * v[i];
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
    loadBlock(hop % 2, element(first, first - BAND + q));
  }
  barrier();
  for (uint step = 0; step < STEPS; ++step, ++hop) {
    bool moves = hop >= 0 && hop < hops;
    bool meets = team > 0 && hop + 2 < hopsOf(sweep - 1);
    uint first = sweep + 1 + uint(max(hop, 0)) * BAND, turn = uint(hop) % 2;
    if (moves) {
      // On their way while the reflection is found.
      double ahead[BAND];
      Elements from = of_corner ? element(first, first + q) : element(first + BAND, first + q);
      uint last = meets && q == BAND - 1 && !of_corner ? 0 : BAND - 1;  // not the element that is just being written
      [[unroll]] for (uint i = 0; i < BAND; ++i)
        ahead[i] = from.at[(i < BAND - 1 ? i : last) * BELOW];  // of the corner also what is no part of it
      if (hop == 0) {
        Elements column = element(first, sweep);
        [[unroll]] for (uint i = 0; i < BAND; ++i) v[i] = column.at[i * BELOW];
      } else {
        [[unroll]] for (uint i = 0; i < BAND; ++i) v[i] = blocks[team][turn][i][turned(i, 0)];
      }
      r = reflectionOf(product(v, v), v[0]);
      v[0] -= r.alpha;
      if (of_corner) {
        [[unroll]] for (uint i = 0; i < BAND; ++i)
          if (i >= q) corners[team][i][turned(i, q)] = corners[team][q][turned(q, i)] = ahead[i];
      } else {
        [[unroll]] for (uint i = 0; i < BAND; ++i) blocks[team][1 - turn][i][turned(i, q)] = ahead[i];
        if (q == 0) alphas[team] = r.alpha;
        reflectColumn(turn, first, hop == 0);
      }
    }
    barrier();
    double row[BAND], own_product = 0.0lf;
    if (moves && of_corner) {
      [[unroll]] for (uint i = 0; i < BAND; ++i) row[i] = corners[team][q][turned(q, i)];
      own_product = product(v, row);
      products[team][q] = own_product;
    } else if (moves) {
      reflectRow(1 - turn, meets);
    }
    barrier();
    if (moves && of_corner) updateCorner(first, row, own_product);
    controlBarrier(gl_ScopeWorkgroup, gl_ScopeWorkgroup, gl_StorageSemanticsBuffer | gl_StorageSemanticsShared,
                   gl_SemanticsAcquireRelease | gl_SemanticsMakeAvailable | gl_SemanticsMakeVisible);
  }
  if (!of_corner && hop > 0 && hop < hops) {
    uint first = sweep + 1 + uint(hop) * BAND;
    Elements to = element(first, first - BAND + q);
    [[unroll]] for (uint i = 0; i < BAND; ++i) to.at[i * BELOW] = blocks[team][hop % 2][i][turned(i, q)];
  }
}
