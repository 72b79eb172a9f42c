#version 460
// variants: pair
// See pair_reduction.glsl. A workgroup a matrix, thread i with every THREADS-th element from the column on: thread 1 has
// the one beside the diagonal.
#include "common/device.glsl"
#include "svd/pair_reduction.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 16;

shared vec2 sums[SUBGROUPS];
shared float maxima[SUBGROUPS];
shared vec2 beside;

vec2 sumOfWorkgroup(vec2 x) {
  x = addLanes(x);
  if (lane() == 0) sums[gl_SubgroupID] = x;
  barrier();
  vec2 sum = vec2(0.0);
  for (uint i = lane(); i < SUBGROUPS; i += LANES) sum = add(sum, sums[i]);
  barrier();  // before the next sum is written
  return addLanes(sum);
}

float maximumOfWorkgroup(float x) {
  x = subgroupMax(x);
  if (lane() == 0) maxima[gl_SubgroupID] = x;
  barrier();
  float largest = 0.0;
  for (uint i = lane(); i < SUBGROUPS; i += LANES) largest = max(largest, maxima[i]);
  return subgroupMax(largest);
}

// w = tau A v - bend v of the column before.
struct Before {
  vec2 tau, bend;
};
Before before() {
  Pairs v = Pairs(vectorOf(params.column - 1)), products = Pairs(workRow(PRODUCTS));
  vec2 sum = vec2(0.0), tau = Pairs(workRow(TAU)).at[0];
  for (uint i = params.column + gl_LocalInvocationIndex; i < params.n; i += SUBGROUPS * LANES)
    sum = add(sum, mul(v.at[i], products.at[i]));
  return Before(tau, 0.5 * mul(mul(tau, tau), sumOfWorkgroup(sum)));
}
vec2 elementOfW(Before from, vec2 v, vec2 product) { return sub(mul(from.tau, product), mul(from.bend, v)); }

// Writes w and, in place of v, x, zeros up to the stride; returns the largest |x| below the diagonal.
float loadColumn() {
  uint column = params.column;
  bool updated = column > 0;
  Before from = Before(vec2(0.0), vec2(0.0));
  if (updated) from = before();
  Pairs v = Pairs(vectorOf(column - 1)), products = Pairs(workRow(PRODUCTS)), w = Pairs(workRow(W));
  Pairs x = Pairs(vectorOf(column)), row = Pairs(gramRow(column));
  vec2 top_v = vec2(0.0), top_w = vec2(0.0);
  if (updated) {
    top_v = v.at[column];
    top_w = elementOfW(from, top_v, products.at[column]);
  }
  float largest = 0.0;
  for (uint i = column + gl_LocalInvocationIndex; i < params.stride; i += SUBGROUPS * LANES) {
    vec2 element = vec2(0.0), own_w = vec2(0.0);
    if (i < params.n) {
      element = row.at[i];
      if (updated) {
        own_w = elementOfW(from, v.at[i], products.at[i]);
        element = sub(element, add(mul(top_v, own_w), mul(top_w, v.at[i])));
      }
    }
    if (i == column) {
      Pairs(batchPart(params.result, 2 * params.n)).at[column] = element;
      element = vec2(0.0);
    }
    w.at[i] = own_w;
    x.at[i] = element;
    largest = max(largest, abs(element.x));
  }
  return maximumOfWorkgroup(largest);
}

void main() {
  uint column = params.column;
  float largest = loadColumn(), scale = largest > 0.0 ? inverseScale(largest) : 1.0;
  Pairs x = Pairs(vectorOf(column));
  vec2 squares = vec2(0.0);
  for (uint i = column + gl_LocalInvocationIndex; i < params.stride; i += SUBGROUPS * LANES) {
    vec2 element = scale * x.at[i];
    x.at[i] = element;
    squares = add(squares, mul(element, element));
    if (i == column + 1) beside = element;
  }
  squares = sumOfWorkgroup(squares);
  if (column + 1 >= params.n) return;
  vec2 head = beside, norm = root(squares), alpha = head.x > 0.0 ? -norm : norm;
  // |v|^2 = 2 (|x|^2 - alpha head), the two of one sign.
  vec2 halved = sub(squares, mul(alpha, head)), tau = vec2(0.0);
  if (halved.x > 0.0) tau = divide(vec2(1.0, 0.0), halved);
  if (gl_LocalInvocationIndex != 1) return;
  x.at[column + 1] = sub(head, alpha);
  Pairs(workRow(TAU)).at[0] = tau;
  Pairs(batchPart(params.result, 2 * params.n)).at[params.n + column] = inverseScale(scale) * alpha;
}
