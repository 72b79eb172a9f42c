#version 460
// Every eigenvalue of symmetric tridiagonal matrices by counting (Sturm; Lo, Philippe, Sameh 1987): SECTION lanes try
// as many points between a value's bounds at once, and the counts say between which two of them it lies.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/multisection.params.h"

layout(push_constant, scalar) uniform Push { MultisectionParams params; };

layout(constant_id = 0) const uint SECTION = 8;  // divides LANES
layout(constant_id = 1) const uint PASSES = 18;  // (SECTION + 1)^PASSES >= 2^55

void main() {
  uint value = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * (LANES / SECTION) + lane() / SECTION;
  uint place = lane() % SECTION, n = params.n, matrix = gl_WorkGroupID.y;
  uint wanted = min(value, n - 1);
  Doubles t = Doubles(params.tridiagonal + uint64_t(matrix) * 2 * n * 8);
  double bound = Doubles(params.bounds).at[2 * matrix];
  double least = Doubles(params.bounds).at[2 * matrix + 1] * 2.3e-308lf;  // in the place of a pivot of zero
  least = max(least, 2.3e-308lf);
  double low = -bound, width = 2.0lf * bound;
  for (uint pass = 0; pass < PASSES; ++pass) {
    double step = width / double(SECTION + 1), shift = low + step * double(place + 1);
    uint below = 0;
    double pivot = 1.0lf, beside = 0.0lf;
    for (uint i = 0; i < n; ++i) {
      pivot = t.at[i] - shift - beside * beside / pivot;
      if (abs(pivot) < least) pivot = -least;
      below += pivot < 0.0lf ? 1 : 0;
      beside = t.at[n + i];
    }
    // Points at or below the value come first.
    uvec4 votes = subgroupBallot(below <= wanted);
    uint shifted = lane() / SECTION * SECTION;
    uint group = (shifted < 32 ? votes.x >> shifted : votes.y >> (shifted - 32)) & ((1u << SECTION) - 1);
    low += step * double(bitCount(group));
    width = step;
  }
  if (place == 0 && value < n) Doubles(params.values).at[matrix * n + value] = low + 0.5lf * width;
}
