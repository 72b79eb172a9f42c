#version 460
// variants: pair
// What the driver makes of pairs of floats: a lane a case, see core/spectra/pair_arithmetic.h.
#include "common/device.glsl"
#include "svd/pairs.glsl"
#include "svd/pair_check.params.h"

layout(push_constant, scalar) uniform Push { PairCheckParams params; };

void main() {
  uint i = gl_GlobalInvocationID.x;
  if (i >= params.count) return;
  vec2 a = Pairs(params.operands).at[2 * i], b = Pairs(params.operands).at[2 * i + 1];
  Pairs to = Pairs(params.results);
  to.at[4 * i] = add(a, b);
  to.at[4 * i + 1] = mul(a, b);
  to.at[4 * i + 2] = divide(a, b);
  to.at[4 * i + 3] = root(a.x < 0.0 ? -a : a);
}
