#version 460
// Of each tridiagonal matrix Gershgorin's bound of its eigenvalues and the largest square beside the diagonal. A
// subgroup a matrix.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/multisection.params.h"

layout(push_constant, scalar) uniform Push { MultisectionParams params; };

void main() {
  uint matrix = gl_WorkGroupID.x, n = params.n;
  Doubles t = Doubles(params.tridiagonal + uint64_t(matrix) * 2 * n * 8);
  double bound = 0.0lf, beside = 0.0lf;
  for (uint i = lane(); i < n; i += LANES) {
    double before = i > 0 ? abs(t.at[n + i - 1]) : 0.0lf, after = i + 1 < n ? abs(t.at[n + i]) : 0.0lf;
    bound = max(bound, abs(t.at[i]) + before + after);
    beside = max(beside, after * after);
  }
  bound = subgroupMax(bound);
  beside = subgroupMax(beside);
  if (lane() != 0) return;
  Doubles(params.bounds).at[2 * matrix] = bound;
  Doubles(params.bounds).at[2 * matrix + 1] = beside;
}
