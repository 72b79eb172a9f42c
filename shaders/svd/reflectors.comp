#version 460
// Of each column of a reduction to tridiagonal form (tridiagonal.glsl) that kept its x: v = x - alpha e in its place,
// zero where the column had nothing below the diagonal, and 1 / tau = |v|^2 / 2; then H = I - tau v v^T. A workgroup a
// column.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/vectors.params.h"

layout(push_constant, scalar) uniform Push { VectorsParams params; };

void main() {
  uint column = gl_WorkGroupID.x, n = params.n;
  Doubles v = Doubles(params.reflectors + uint64_t(column) * params.stride * 8);
  double alpha = column + 1 < n ? Doubles(params.tridiagonal).at[n + column] : 0.0lf, squares = 0.0lf;
  for (uint i = lane(); i < params.stride; i += LANES) {
    double x = i > column && i < n ? v.at[i] : 0.0lf;
    if (i == column + 1 && i < n) x -= alpha;
    v.at[i] = x;
    squares += x * x;
  }
  squares = subgroupAdd(squares);
  if (lane() == 0) Doubles(params.inverse_taus).at[column] = 0.5lf * squares;
}
