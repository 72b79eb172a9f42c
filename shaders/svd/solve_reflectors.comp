#version 460
// A block of reflections is H_j H_j+1 .. = I - V M^-1 V^T with V its vectors and M upper triangular: 1 / tau on the
// diagonal, v_i . v_j above it (Puglisi 1992; Joffrain et al. 2006). From V^T Z, in parts, to M^-1 V^T Z in the place of
// the first part. A thread a column of Z.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/vectors.params.h"

layout(push_constant, scalar) uniform Push { VectorsParams params; };

const uint BLOCK = 32;

shared double cross_products[BLOCK][BLOCK];
shared double taus[BLOCK];

void main() {
  Doubles cross_from = Doubles(params.cross + uint64_t(params.block) * BLOCK * BLOCK * 8);
  for (uint i = gl_LocalInvocationIndex; i < BLOCK * BLOCK; i += gl_WorkGroupSize.x)
    cross_products[i / BLOCK][i % BLOCK] = cross_from.at[i];
  for (uint i = gl_LocalInvocationIndex; i < BLOCK; i += gl_WorkGroupSize.x) {
    uint column = params.block * BLOCK + i;
    double inverse = column < params.n ? Doubles(params.inverse_taus).at[column] : 0.0lf;
    taus[i] = inverse > 0.0lf ? 1.0lf / inverse : 0.0lf;
  }
  barrier();
  uint column = gl_GlobalInvocationID.x;
  if (column >= params.n) return;
  Doubles numbers = Doubles(params.scratch);
  double x[BLOCK];
  for (uint i = 0; i < BLOCK; ++i) {
    double sum = 0.0lf;
    for (uint part = 0; part < params.parts; ++part)
      sum += numbers.at[(part * BLOCK + i) * params.stride + column];
    x[i] = sum;
  }
  for (int i = int(BLOCK) - 1; i >= 0; --i) {
    double sum = x[i];
    for (uint j = uint(i) + 1; j < BLOCK; ++j) sum -= cross_products[i][j] * x[j];
    x[i] = taus[i] * sum;
    numbers.at[uint(i) * params.stride + column] = x[i];
  }
}
