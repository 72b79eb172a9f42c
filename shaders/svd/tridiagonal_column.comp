#version 460
// See tridiagonal.glsl. A thread a row; the rows start at a multiple of the workgroup at or above the column.
#include "common/device.glsl"
#include "svd/tridiagonal.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 4;
layout(constant_id = 1) const bool FINISH_ONLY = false;  // behind a panel's last column: w alone

const uint AHEAD = 8;  // columns of the panel whose numbers are loaded together

shared double of_subgroup[32];
shared double dots[128];  // V^T v, W^T v of the column before

uint last, before;  // columns of the panel that are done, the last among them
Reflection reflection;
double bend;  // of w = tau A v - bend v

double vBefore(uint row) {
  double x = Doubles(vectorOf(before)).at[row];
  return row == before + 1 ? x - reflection.alpha : x;
}

// Row `row` of A x.
double productOf(uint row) {
  uint first = (before + 1) / TILE, blocks = (params.n + TILE - 1) / TILE;
  double sum = 0.0lf;
  for (uint slot = first; slot < blocks; slot += AHEAD) {
    double parts[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) parts[i] = productsOfSlot(min(slot + i, blocks - 1)).at[row];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i)
      if (slot + i < blocks) sum += parts[i];
  }
  return sum;
}

// Row `row` of w of the column before; a panel's columns in front of it come in through dots.
double wBefore(uint row) {
  double y = productOf(row) - reflection.alpha * gram().at[params.column * params.stride + row];
  Doubles v = panelV(), w = panelW();
  for (uint first = 0; first < last; first += AHEAD) {
    double of_v[AHEAD], of_w[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint at = min(first + i, last - 1) * params.stride + row;
      of_v[i] = v.at[at];
      of_w[i] = w.at[at];
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i)
      if (first + i < last) y -= of_v[i] * dots[params.width + first + i] + of_w[i] * dots[first + i];
  }
  return reflection.tau * y - bend * vBefore(row);
}

// What the panel's finished columns take from row `row` of the column.
double ofPanel(uint row) {
  double sum = 0.0lf;
  Doubles v = panelV(), w = panelW();
  for (uint first = 0; first < last; first += AHEAD) {
    dvec4 numbers[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint at = min(first + i, last - 1) * params.stride;
      numbers[i] = dvec4(v.at[at + row], w.at[at + params.column], w.at[at + row], v.at[at + params.column]);
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i)
      if (first + i < last) sum += numbers[i].x * numbers[i].y + numbers[i].z * numbers[i].w;
  }
  return sum;
}

void loadBefore() {
  uint done = last, thread = gl_LocalInvocationIndex;
  reflection = reflectionOf(before, params.norm_parts);
  double both = 0.0lf;
  Doubles from = panelProducts();
  for (uint k = lane(); k < done; k += LANES) both += from.at[k] * from.at[params.width + k];
  // v A v of v = x - alpha e, e the unit vector of this column.
  double own = gram().at[params.column * params.stride + params.column];
  double product = sumOfParts(DOT_PARTS, params.dot_parts) +
                   reflection.alpha * (reflection.alpha * own - 2.0lf * productOf(params.column)) -
                   2.0lf * subgroupAdd(both);
  bend = 0.5lf * reflection.tau * reflection.tau * product;
  for (uint k = thread; k < done; k += SUBGROUPS * LANES) {
    dots[k] = from.at[k];
    dots[params.width + k] = from.at[params.width + k];
  }
  barrier();
}

void writePart(double square) {
  double sum = subgroupAdd(square);
  if (lane() == 0) of_subgroup[gl_SubgroupID] = sum;
  barrier();
  if (gl_LocalInvocationIndex != 0) return;
  sum = 0.0lf;
  for (uint i = 0; i < SUBGROUPS; ++i) sum += of_subgroup[i];
  partsOf(params.column % 2).at[gl_WorkGroupID.x] = sum;
}

void main() {
  uint threads = SUBGROUPS * LANES;
  uint column = params.column, row = (column / threads + gl_WorkGroupID.x) * threads + gl_LocalInvocationIndex;
  bool goes_on = column > params.first;  // with a column of this panel
  Doubles v = panelV(), w = panelW();
  double own_v = 0.0lf, own_w = 0.0lf, top_v = 0.0lf, top_w = 0.0lf;
  if (goes_on) {
    before = column - 1;
    last = before - params.first;
    loadBefore();
    if (row < params.stride) {
      bool below = row >= column && row < params.n;
      own_v = below ? vBefore(row) : 0.0lf;
      own_w = below ? wBefore(row) : 0.0lf;
      v.at[last * params.stride + row] = own_v;
      w.at[last * params.stride + row] = own_w;
      if (gl_WorkGroupID.x == 0 && row == column)
        Doubles(batchPart(params.result, 2 * params.n)).at[params.n + before] = reflection.alpha;
    }
    if (!FINISH_ONLY) {
      top_v = vBefore(column);
      top_w = wBefore(column);
    }
  }
  if (FINISH_ONLY) return;
  double x = 0.0lf;
  if (row >= column && row < params.n) {
    x = gram().at[column * params.stride + row];
    if (goes_on) {
      x -= ofPanel(row);
      x -= own_v * top_w + own_w * top_v;
    }
    if (row == column) Doubles(batchPart(params.result, 2 * params.n)).at[column] = x;
  }
  if (row == column) x = 0.0lf;
  if (row < params.stride) Doubles(vectorOf(column)).at[row] = x;
  writePart(x * x);
}
