#version 460
// See tridiagonal.glsl. A subgroup a row of the trailing matrix, and behind those a row for each dot product with a
// column of V and of W.
#include "common/device.glsl"
#include "svd/tridiagonal.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 8;

shared double of_subgroup[32];

// Of a row of numbers and x, from `column` + 1 on; x is zero up to there.
double dotWithX(uint64_t numbers, uint64_t x) {
  double sum = 0.0lf, other = 0.0lf;
  uint pairs = params.stride / 2, i = (params.column + 1) / 2 + lane();
  for (; i + LANES < pairs; i += 2 * LANES) {
    dvec2 a = DoublePairs(numbers).at[i], b = DoublePairs(numbers).at[i + LANES];
    dvec2 p = DoublePairs(x).at[i], q = DoublePairs(x).at[i + LANES];
    sum = fma(a.y, p.y, fma(a.x, p.x, sum));
    other = fma(b.y, q.y, fma(b.x, q.x, other));
  }
  if (i < pairs) {
    dvec2 a = DoublePairs(numbers).at[i], p = DoublePairs(x).at[i];
    sum = fma(a.y, p.y, fma(a.x, p.x, sum));
  }
  return subgroupAdd(sum + other);
}

void main() {
  uint column = params.column, below = params.n - column - 1, done = column - params.first;
  uint item = gl_WorkGroupID.x * SUBGROUPS + gl_SubgroupID;
  Reflection reflection = reflectionOf(column, params.norm_parts);
  uint64_t x = vectorOf(column), numbers = 0;
  uint to = 0;
  bool of_matrix = item < below, any = of_matrix || item < below + 2 * done;
  if (of_matrix) {
    to = column + 1 + item;
    numbers = batchPart(params.gram, params.n * params.stride) + uint64_t(to) * params.stride * 8;
  } else if (any) {
    uint k = item - below, plane = k / done, within = k % done;
    to = params.stride + plane * params.width + within;
    numbers = batchPart(params.panel, 2 * params.width * params.stride) +
              uint64_t(plane * params.width + within) * params.stride * 8;
  }
  double part = 0.0lf;
  if (any) {
    double y = dotWithX(numbers, x) - reflection.alpha * Doubles(numbers).at[column + 1];
    if (lane() == 0) products().at[to] = y;
    if (of_matrix) {
      double v = Doubles(x).at[to];
      if (to == column + 1) v -= reflection.alpha;
      part = v * y;
    }
  }
  if (lane() == 0) of_subgroup[gl_SubgroupID] = part;
  barrier();
  if (gl_LocalInvocationIndex != 0) return;
  double sum = 0.0lf;
  for (uint i = 0; i < SUBGROUPS; ++i) sum += of_subgroup[i];
  partsOf(DOT_PARTS).at[gl_WorkGroupID.x] = sum;
}
