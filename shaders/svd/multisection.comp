#version 460
// Every eigenvalue of symmetric tridiagonal matrices by counting (Sturm; Lo, Philippe, Sameh 1987): SECTION lanes try
// as many points between a value's bounds at once, and the counts say between which two of them it lies.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/multisection.params.h"

layout(push_constant, scalar) uniform Push { MultisectionParams params; };

layout(constant_id = 0) const uint SECTION = 8;  // divides LANES
layout(constant_id = 1) const uint PASSES = 18;  // (SECTION + 1)^PASSES >= 2^55
const uint AHEAD = 8;                            // steps that are loaded before they are needed

// In the place of a pivot near zero: it moves an eigenvalue by no more, in units of the largest, and its reciprocal fits
// single precision.
const double LEAST = 1e-30lf;

// The device's division takes several times as long; two of Newton's steps make up for single precision.
double reciprocal(double q) {
  double r = double(1.0 / float(q));
  r = fma(r, fma(-q, r, 1.0lf), r);
  return fma(r, fma(-q, r, 1.0lf), r);
}

uint countBelow(DoublePairs terms, double shift) {
  uint below = 0;
  double inverse = 1.0lf;
  dvec2 next[AHEAD];
  [[unroll]] for (uint i = 0; i < AHEAD; ++i) next[i] = terms.at[i];
  for (uint first = 0; first < params.steps; first += AHEAD) {
    dvec2 now[AHEAD] = next;
    uint ahead = min(first + AHEAD, params.steps - AHEAD);
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) next[i] = terms.at[ahead + i];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      double pivot = fma(-now[i].y, inverse, now[i].x - shift);
      if (abs(pivot) < LEAST) pivot = -LEAST;
      below += pivot < 0.0lf ? 1 : 0;
      inverse = reciprocal(pivot);
    }
  }
  return below;
}

void main() {
  uint value = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * (LANES / SECTION) + lane() / SECTION;
  uint place = lane() % SECTION, n = params.n, matrix = gl_WorkGroupID.y, wanted = min(value, n - 1);
  DoublePairs terms = DoublePairs(params.terms + uint64_t(matrix) * params.steps * 16);
  double low = -1.0lf, width = 2.0lf;
  for (uint pass = 0; pass < PASSES; ++pass) {
    double step = width / double(SECTION + 1);
    // Points at or below the value come first.
    uvec4 votes = subgroupBallot(countBelow(terms, low + step * double(place + 1)) <= wanted);
    uint shifted = lane() / SECTION * SECTION;
    uint group = (shifted < 32 ? votes.x >> shifted : votes.y >> (shifted - 32)) & (0xffffffffu >> (32 - SECTION));
    low += step * double(bitCount(group));
    width = step;
  }
  double bound = Doubles(params.bounds).at[matrix];
  if (place == 0 && value < n) Doubles(params.values).at[matrix * n + value] = (low + 0.5lf * width) * bound;
}
