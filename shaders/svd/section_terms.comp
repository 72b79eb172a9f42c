#version 460
// What multisection.comp counts with: tridiagonal matrices over Gershgorin's bound of their eigenvalues. A subgroup a
// matrix.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/multisection.params.h"

layout(push_constant, scalar) uniform Push { MultisectionParams params; };

const double BEYOND = 4.0lf;  // a pivot there is positive whatever the shift

void main() {
  uint matrix = gl_WorkGroupID.x, n = params.n;
  Doubles t = Doubles(params.tridiagonal + uint64_t(matrix) * 2 * n * 8);
  DoublePairs terms = DoublePairs(params.terms + uint64_t(matrix) * params.steps * 16);
  double bound = 0.0lf;
  for (uint i = lane(); i < n; i += LANES) {
    double before = i > 0 ? abs(t.at[n + i - 1]) : 0.0lf, after = i + 1 < n ? abs(t.at[n + i]) : 0.0lf;
    bound = max(bound, abs(t.at[i]) + before + after);
  }
  bound = subgroupMax(bound);
  double scale = bound > 0.0lf ? 1.0lf / bound : 0.0lf;
  for (uint i = lane(); i < params.steps; i += LANES) {
    double before = i > 0 && i < n ? t.at[n + i - 1] * scale : 0.0lf;
    terms.at[i] = dvec2(i < n ? t.at[i] * scale : BEYOND, before * before);
  }
  if (lane() == 0) Doubles(params.bounds).at[matrix] = bound;
}
