#version 460
// variants: single double
// Singular values and the vectors of the short side by one-sided Jacobi rotations on the rows of R (qr.comp), each of
// which becomes sigma times a vector. A workgroup a matrix: a subgroup keeps four neighbouring columns in registers.
// Columns meet by odd-even transposition: neighbours are rotated and change places, so that in n rounds each pair meets
// once; every other round one column of each subgroup goes through shared memory. Rotations in Rutishauser's form lose
// far less than the textbook's (measured 70 times; Rutishauser 1966); the others are there to be compared.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/small_svd.params.h"

layout(push_constant, scalar) uniform Push { SmallSvdParams params; };

#ifdef VARIANT_DOUBLE
#define REAL double
#define REAL4 dvec4
#else
#define REAL float
#define REAL4 vec4
#endif

#include "svd/rotation.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 32;  // four columns each
layout(constant_id = 1) const uint ROWS = 4;        // of a lane: LANES * ROWS >= n
layout(constant_id = 2) const uint MOVED = 3968;    // (SUBGROUPS - 1) * LANES * ROWS, at least 1

shared REAL moved[MOVED];
shared uint rotated;

REAL x[4][ROWS];
bool any_rotation;

// Rotates columns a and b to be orthogonal, then exchanges them.
void meet(inout REAL a[ROWS], inout REAL b[ROWS]) {
  REAL aa = REAL(0), bb = REAL(0), ab = REAL(0);
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    aa = fma(a[r], a[r], aa);
    bb = fma(b[r], b[r], bb);
    ab = fma(a[r], b[r], ab);
  }
  aa = subgroupAdd(aa);
  bb = subgroupAdd(bb);
  ab = subgroupAdd(ab);
  Rotation by = Rotation(REAL(1), REAL(0), REAL(0));
  if (abs(ab) > REAL(params.tolerance) * sqrt(aa) * sqrt(bb)) {
    any_rotation = true;
    by = rotationOf(aa, bb, ab);
  }
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    REAL x = a[r], y = b[r];
    turn(by, x, y);
    a[r] = y;
    b[r] = x;
  }
}

void evenRound() {
  meet(x[0], x[1]);
  meet(x[2], x[3]);
}

// Column 3 meets the next subgroup's column 0.
void oddRound() {
  uint next = gl_SubgroupID * LANES * ROWS + lane(), own = next - LANES * ROWS;
  bool has_next = gl_SubgroupID + 1 < SUBGROUPS, has_own = gl_SubgroupID > 0;
  if (has_own) [[unroll]] for (uint r = 0; r < ROWS; ++r) moved[own + r * LANES] = x[0][r];
  barrier();
  meet(x[1], x[2]);
  if (has_next) {
    REAL other[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; ++r) other[r] = moved[next + r * LANES];
    meet(x[3], other);
    [[unroll]] for (uint r = 0; r < ROWS; ++r) moved[next + r * LANES] = other[r];
  }
  barrier();
  if (has_own) [[unroll]] for (uint r = 0; r < ROWS; ++r) x[0][r] = moved[own + r * LANES];
}

// Of a column all lanes have the same.
double normOf(REAL column[ROWS]) {
  double sum = 0.0lf;
  [[unroll]] for (uint r = 0; r < ROWS; ++r) sum += double(column[r]) * double(column[r]);
  return root(subgroupAdd(sum));
}

void main() {
  uint n = params.n, matrix = gl_WorkGroupID.x;
  Doubles factor = Doubles(params.factor + uint64_t(matrix) * n * n * 8);
  // Scaled by a power of two so that squares of single precision stay in range.
  double largest = 0.0lf;
  for (uint i = lane(); i < n * n; i += LANES) largest = max(largest, abs(factor.at[i]));
  largest = subgroupMax(largest);
  int exponent = 0;
  if (largest > 0.0lf) frexp(largest, exponent);
  [[unroll]] for (uint c = 0; c < 4; ++c) [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint column = gl_SubgroupID * 4 + c, row = r * LANES + lane();
    bool inside = column < n && row < n;
    x[c][r] = inside ? REAL(ldexp(factor.at[min(column, n - 1) * n + min(row, n - 1)], -exponent)) : REAL(0);
  }
  uint sweep = 0;
  for (bool going = true; going && sweep < params.most_sweeps; ++sweep) {
    any_rotation = false;
    if (gl_LocalInvocationIndex == 0) rotated = 0;
    for (uint round = 0; round < SUBGROUPS * 2; ++round) {
      evenRound();
      oddRound();
    }
    if (any_rotation && lane() == 0) atomicOr(rotated, 1u);
    barrier();
    going = rotated != 0;
    barrier();
  }
  if (gl_LocalInvocationIndex == 0) Uints(params.sweeps).at[matrix] = sweep;
  Doubles sigma = Doubles(params.sigma + uint64_t(matrix) * n * 8);
  Doubles vectors = Doubles(params.vectors + uint64_t(matrix) * n * n * 8);
  // After an odd number of sweeps the columns lie in reverse; columns beyond n are zeros that have moved about.
  bool reversed = sweep % 2 == 1;
  [[unroll]] for (uint c = 0; c < 4; ++c) {
    double norm = normOf(x[c]);
    uint place = gl_SubgroupID * 4 + c, column = reversed ? SUBGROUPS * 4 - 1 - place : place;
    if (column >= n) continue;
    if (lane() == 0) sigma.at[column] = ldexp(norm, exponent);
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      uint row = r * LANES + lane();
      if (row < n) vectors.at[column * n + row] = norm > 0.0lf ? double(x[c][r]) / norm : 0.0lf;
    }
  }
}
