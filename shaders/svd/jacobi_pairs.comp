#version 460
// variants: single double
// As jacobi.comp, on pairs of columns that a table lists round by round: the pairs of a round have no column in common
// and are rotated side by side, a subgroup a pair. Random rounds are the pivoting that Detherage & Shah prove a linear
// rate for (arXiv:2505.02023), as many at once as there can be. A sweep is as many rounds as it takes for each pair to
// meet once; one without a rotation in random rounds is followed by one of all pairs, which decides. Columns stay in
// `vectors`, in double precision also where they are singles.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/small_svd.params.h"

layout(push_constant, scalar) uniform Push { SmallSvdParams params; };
// Columns that other subgroups have changed.
layout(buffer_reference, scalar, buffer_reference_align = 8) coherent buffer SharedDoubles { double at[]; };

#ifdef VARIANT_DOUBLE
#define REAL double
#else
#define REAL float
#endif
#include "svd/rotation.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 32;
layout(constant_id = 1) const uint ROWS = 4;  // of a lane: LANES * ROWS >= n

shared uint rotated;

void meet(SharedDoubles columns, uint i, uint j) {
  uint n = params.n;
  REAL a[ROWS], b[ROWS];
  REAL aa = REAL(0), bb = REAL(0), ab = REAL(0);
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint row = r * LANES + lane(), inside = min(row, n - 1);
    a[r] = row < n ? REAL(columns.at[i * n + inside]) : REAL(0);
    b[r] = row < n ? REAL(columns.at[j * n + inside]) : REAL(0);
    aa = fma(a[r], a[r], aa);
    bb = fma(b[r], b[r], bb);
    ab = fma(a[r], b[r], ab);
  }
  aa = subgroupAdd(aa);
  bb = subgroupAdd(bb);
  ab = subgroupAdd(ab);
  if (abs(ab) <= REAL(params.tolerance) * sqrt(aa) * sqrt(bb)) return;
  if (lane() == 0) atomicOr(rotated, 1u);
  Rotation by = rotationOf(aa, bb, ab);
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint row = r * LANES + lane();
    turn(by, a[r], b[r]);
    if (row >= n) continue;
    columns.at[i * n + row] = double(a[r]);
    columns.at[j * n + row] = double(b[r]);
  }
}

void sweepOver(SharedDoubles columns, uint first, uint rounds, uint of) {
  uint pairs = params.n / 2;
  for (uint round = 0; round < rounds; ++round) {
    uint row = of == 0 ? round : rounds + (first + round) % of;
    for (uint k = gl_SubgroupID; k < pairs; k += SUBGROUPS) {
      uint both = Uints(params.pairs).at[row * pairs + k];
      meet(columns, both & 0xffffu, both >> 16);
    }
    memoryBarrierBuffer();
    barrier();
  }
}

void main() {
  uint n = params.n, matrix = gl_WorkGroupID.x, rounds = n % 2 == 0 ? n - 1 : n;
  Doubles factor = Doubles(params.factor + uint64_t(matrix) * n * n * 8);
  SharedDoubles columns = SharedDoubles(params.vectors + uint64_t(matrix) * n * n * 8);
  Doubles sigma = Doubles(params.sigma + uint64_t(matrix) * n * 8);
  // Scaled by a power of two so that squares of single precision stay in range.
  double largest = 0.0lf;
  for (uint i = lane(); i < n * n; i += LANES) largest = max(largest, abs(factor.at[i]));
  largest = subgroupMax(largest);
  int exponent = 0;
  if (largest > 0.0lf) frexp(largest, exponent);
  for (uint i = gl_LocalInvocationIndex; i < n * n; i += SUBGROUPS * LANES)
    columns.at[i] = double(REAL(ldexp(factor.at[i], -exponent)));
  memoryBarrierBuffer();
  barrier();
  uint sweep = 0;
  bool all_pairs = params.random_rounds == 0;
  for (bool going = true; going && sweep < params.most_sweeps; ++sweep) {
    if (gl_LocalInvocationIndex == 0) rotated = 0;
    barrier();
    sweepOver(columns, sweep * rounds, rounds, all_pairs ? 0 : params.random_rounds);
    bool any = rotated != 0;
    barrier();
    going = any || !all_pairs;
    all_pairs = params.random_rounds == 0 || !any;
  }
  if (gl_LocalInvocationIndex == 0) Uints(params.sweeps).at[matrix] = sweep;
  for (uint k = gl_SubgroupID; k < n; k += SUBGROUPS) {
    double squares = 0.0lf;
    for (uint row = lane(); row < n; row += LANES) squares += columns.at[k * n + row] * columns.at[k * n + row];
    double norm = root(subgroupAdd(squares));
    if (lane() == 0) sigma.at[k] = ldexp(norm, exponent);
    for (uint row = lane(); row < n; row += LANES)
      columns.at[k * n + row] = norm > 0.0lf ? columns.at[k * n + row] / norm : 0.0lf;
  }
}
