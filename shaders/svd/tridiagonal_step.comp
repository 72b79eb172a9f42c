#version 460
// A column of the reduction in one dispatch, for matrices that a device's cache holds: see tridiagonal.glsl for the
// formulas. Instead of delaying updates by a panel, the trailing matrix takes those of the column before while its rows
// are multiplied with the new v. Every workgroup computes w of the column before, x, alpha and tau by itself, in the
// same order and so to the same bit; the rows are shared out.
#include "common/device.glsl"
#include "svd/tridiagonal.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 32;
layout(constant_id = 1) const uint PAIRS = 1004;  // of columns: (n - the first one) / 2, rounded up, and one

shared dvec2 v[PAIRS], w[PAIRS], x[PAIRS];  // v, w of the column before, v of this one, from an even column on
shared double parts[SUBGROUPS];

uint column, base, pairs;

// Where the products, alpha and tau of a column lie.
DoublePairs productsOf(uint of) {
  return DoublePairs(uint64_t(productsOfSlot(of % 2)));
}
Doubles scalarsOf(uint of) { return Doubles(batchPart(params.parts, 3 * params.parts_room) + uint64_t(of % 2) * 16); }

double sumOfWorkgroup(double value) {
  value = subgroupAdd(value);
  barrier();  // the sum before has been read
  if (lane() == 0) parts[gl_SubgroupID] = value;
  barrier();
  double sum = 0.0lf;
  for (uint i = lane(); i < SUBGROUPS; i += LANES) sum += parts[i];
  return subgroupAdd(sum);
}

double ofPair(dvec2 pair, uint i) { return (i & 1) == 0 ? pair.x : pair.y; }
double at(uint i, bool of_v) { return ofPair(of_v ? v[(i - base) / 2] : w[(i - base) / 2], i); }

// Zero in front of the column and beyond the matrix.
dvec2 trimmed(dvec2 pair, uint first, uint i) {
  return dvec2(i >= first && i < params.n ? pair.x : 0.0lf, i + 1 >= first && i + 1 < params.n ? pair.y : 0.0lf);
}

void loadBefore() {
  Doubles scalars = scalarsOf(column - 1);
  double alpha = scalars.at[0], tau = scalars.at[1], product = 0.0lf;
  DoublePairs from = DoublePairs(vectorOf(column - 1)), products = productsOf(column - 1);
  for (uint p = gl_LocalInvocationIndex; p < pairs; p += SUBGROUPS * LANES) {
    uint i = base + 2 * p;
    dvec2 of_v = trimmed(from.at[base / 2 + p], column, i), y = trimmed(products.at[base / 2 + p], column, i);
    if (i == column) of_v.x -= alpha;
    if (i + 1 == column) of_v.y -= alpha;
    v[p] = of_v;
    w[p] = y;
    product += dot(of_v, y);
  }
  double bend = 0.5lf * tau * tau * sumOfWorkgroup(product);
  for (uint p = gl_LocalInvocationIndex; p < pairs; p += SUBGROUPS * LANES) w[p] = tau * w[p] - bend * v[p];
  barrier();
}

// The new column in x, and what reflects it.
Reflection loadColumn(bool updated) {
  double of_v = 0.0lf, of_w = 0.0lf, squares = 0.0lf;
  if (updated) {
    of_v = at(column, true);
    of_w = at(column, false);
  }
  DoublePairs row = DoublePairs(batchPart(params.gram, params.n * params.stride) + uint64_t(column) * params.stride * 8);
  Doubles result = Doubles(batchPart(params.result, 2 * params.n));
  for (uint p = gl_LocalInvocationIndex; p < pairs; p += SUBGROUPS * LANES) {
    uint i = base + 2 * p;
    dvec2 a = row.at[base / 2 + p];
    if (updated) a -= of_v * w[p] + of_w * v[p];
    if (gl_WorkGroupID.x == 0 && i <= column && i + 1 >= column) result.at[column] = ofPair(a, column);
    a = trimmed(a, column + 1, i);
    x[p] = a;
    squares += dot(a, a);
  }
  squares = sumOfWorkgroup(squares);
  uint below = min(column + 1, params.n - 1);
  double head = column + 1 < params.n ? ofPair(x[(below - base) / 2], below) : 0.0lf;
  return reflectionOf(squares, head);
}

void store(Reflection r) {
  DoublePairs to = DoublePairs(vectorOf(column));
  for (uint p = gl_LocalInvocationIndex; p < pairs; p += SUBGROUPS * LANES) to.at[base / 2 + p] = x[p];
  if (gl_LocalInvocationIndex != 0) return;
  scalarsOf(column).at[0] = r.alpha;
  scalarsOf(column).at[1] = r.tau;
  if (column + 1 < params.n) Doubles(batchPart(params.result, 2 * params.n)).at[params.n + column] = r.alpha;
}

double updateRow(uint row, bool updated) {
  DoublePairs numbers = DoublePairs(batchPart(params.gram, params.n * params.stride) + uint64_t(row) * params.stride * 8);
  double of_v = 0.0lf, of_w = 0.0lf, sum = 0.0lf;
  if (updated) {
    of_v = at(row, true);
    of_w = at(row, false);
  }
  const uint DEPTH = 8;  // loads in flight
  uint p = lane();
  for (; p + (DEPTH - 1) * LANES < pairs; p += DEPTH * LANES) {
    dvec2 a[DEPTH];
    [[unroll]] for (uint d = 0; d < DEPTH; ++d) a[d] = numbers.at[base / 2 + p + d * LANES];
    [[unroll]] for (uint d = 0; d < DEPTH; ++d) {
      uint q = p + d * LANES;
      if (updated) {
        a[d] -= of_v * w[q] + of_w * v[q];
        numbers.at[base / 2 + q] = a[d];
      }
      sum += dot(a[d], x[q]);
    }
  }
  for (; p < pairs; p += LANES) {
    dvec2 a = numbers.at[base / 2 + p];
    if (updated) {
      a -= of_v * w[p] + of_w * v[p];
      numbers.at[base / 2 + p] = a;
    }
    sum += dot(a, x[p]);
  }
  return subgroupAdd(sum);
}

void main() {
  column = params.column;
  base = column & ~1u;
  pairs = (params.stride - base) / 2;
  bool updated = column > params.first;
  if (updated) loadBefore();
  Reflection r = loadColumn(updated);
  if (gl_WorkGroupID.x == 0) store(r);
  barrier();
  uint below = column + 1;
  if (below >= params.n) return;
  if (gl_LocalInvocationIndex == 0) {
    if ((below & 1) == 0)
      x[(below - base) / 2].x -= r.alpha;
    else
      x[(below - base) / 2].y -= r.alpha;
  }
  barrier();
  uint64_t to = uint64_t(productsOf(column));
  for (uint row = below + gl_WorkGroupID.x + gl_NumWorkGroups.x * gl_SubgroupID; row < params.n;
       row += gl_NumWorkGroups.x * SUBGROUPS) {
    double y = updateRow(row, updated);
    if (lane() == 0) Doubles(to).at[row] = y;
  }
}
