#version 460
// variants: pair
// multisection.comp in pairs of floats: every eigenvalue of symmetric tridiagonal matrices by counting, SECTION points
// between a value's bounds at once. The matrix is taken over a power of two near Gershgorin's bound.
#include "common/device.glsl"
#include "svd/pairs.glsl"
#include "svd/pair_multisection.params.h"

layout(push_constant, scalar) uniform Push { PairMultisectionParams params; };

layout(constant_id = 0) const uint SECTION = 8;  // divides LANES
layout(constant_id = 1) const uint PASSES = 18;  // (SECTION + 1)^PASSES >= 2^54
const uint AHEAD = 8;                            // steps that are loaded before they are needed

// In the place of a pivot near zero: it moves an eigenvalue by no more, and its reciprocal is a float.
const float LEAST = 1e-30;

Pairs matrix;
float scale;

float boundOf() {
  float bound = 0.0;
  for (uint i = lane(); i < params.n; i += LANES) {
    float before = i > 0 ? abs(matrix.at[params.n + i - 1].x) : 0.0;
    float after = i + 1 < params.n ? abs(matrix.at[params.n + i].x) : 0.0;
    bound = max(bound, abs(matrix.at[i].x) + before + after);
  }
  return subgroupMax(bound) * (1.0 + 1e-5);  // its own rounding
}

// (diagonal, the one before it beside the diagonal)
vec4 stepAt(uint i) {
  uint at = min(i, params.n - 1);
  return scale * vec4(matrix.at[at], at > 0 ? matrix.at[params.n + at - 1] : vec2(0.0));
}

uint countBelow(vec2 shift) {
  uint below = 0;
  vec2 pivot = vec2(1.0, 0.0);
  vec4 next[AHEAD];
  [[unroll]] for (uint i = 0; i < AHEAD; ++i) next[i] = stepAt(i);
  for (uint first = 0; first < params.n; first += AHEAD) {
    vec4 now[AHEAD] = next;
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) next[i] = stepAt(first + AHEAD + i);
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      vec2 taken = divide(mul(now[i].zw, now[i].zw), pivot);
      pivot = sub(sub(now[i].xy, shift), taken);
      if (abs(pivot.x) < LEAST) pivot = vec2(-LEAST, 0.0);
      below += first + i < params.n && pivot.x < 0.0 ? 1 : 0;
    }
  }
  return below;
}

vec2 pointAt(vec2 low, float width, uint part) { return add(low, twoProduct(width, float(part))); }

void main() {
  uint value = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * (LANES / SECTION) + lane() / SECTION;
  uint place = lane() % SECTION, n = params.n, batch = gl_WorkGroupID.y, wanted = min(value, n - 1);
  matrix = Pairs(params.tridiagonal + uint64_t(batch) * 2 * n * 8);
  float bound = boundOf();
  scale = bound > 0.0 ? inverseScale(bound) : 1.0;
  vec2 low = vec2(-scale * bound, 0.0);
  float width = 2.0 * scale * bound;
  for (uint pass = 0; pass < PASSES; ++pass) {
    width *= (1.0 + 1e-6) / float(SECTION + 1);  // a little more, so that rounding leaves no gap at the end
    // Points at or below the value come first.
    uvec4 votes = subgroupBallot(countBelow(pointAt(low, width, place + 1)) <= wanted);
    uint shifted = lane() / SECTION * SECTION;
    uint group = (shifted < 32 ? votes.x >> shifted : votes.y >> (shifted - 32)) & (0xffffffffu >> (32 - SECTION));
    low = pointAt(low, width, bitCount(group));
  }
  if (place == 0 && value < n)
    Pairs(params.values).at[batch * n + value] = inverseScale(scale) * add(low, vec2(0.5 * width, 0.0));
}
