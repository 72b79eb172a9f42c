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

// What two rows need: the workgroup's own and that of the column, which all share. Loaded together, since a load takes
// longer than all sums.
struct Rows {
  double own, top;
};

double vBefore(uint row) {
  double x = Doubles(vectorOf(before)).at[row];
  return row == before + 1 ? x - reflection.alpha : x;
}

// A x.
Rows productsOfBefore(uint row) {
  uint first = (before + 1) / TILE, blocks = (params.n + TILE - 1) / TILE;
  Rows sum = Rows(0.0lf, 0.0lf);
  for (uint slot = first; slot < blocks; slot += AHEAD) {
    double own[AHEAD], top[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      Doubles from = productsOfSlot(min(slot + i, blocks - 1));
      own[i] = from.at[row];
      top[i] = from.at[params.column];
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      if (slot + i >= blocks) continue;
      sum.own += own[i];
      sum.top += top[i];
    }
  }
  return sum;
}

// What the panel's finished columns take from A v of the column before, and from this column.
struct Taken {
  Rows product;
  double column;
};
Taken ofPanel(uint row) {
  Taken taken = Taken(Rows(0.0lf, 0.0lf), 0.0lf);
  Doubles v = panelV(), w = panelW();
  for (uint first = 0; first < last; first += AHEAD) {
    dvec2 own[AHEAD], top[AHEAD];  // of v, of w
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      uint at = min(first + i, last - 1) * params.stride;
      own[i] = dvec2(v.at[at + row], w.at[at + row]);
      top[i] = dvec2(v.at[at + params.column], w.at[at + params.column]);
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      if (first + i >= last) continue;
      dvec2 by = dvec2(dots[params.width + first + i], dots[first + i]);
      taken.product.own += dot(own[i], by);
      taken.product.top += dot(top[i], by);
      taken.column += dot(own[i], top[i].yx);
    }
  }
  return taken;
}

// `top_product`, `top_element`: A x and the element of this column in its own row.
void loadBefore(double top_product, double top_element) {
  uint done = last, thread = gl_LocalInvocationIndex;
  double both = 0.0lf;
  Doubles from = panelProducts();
  for (uint k = thread; k < done; k += SUBGROUPS * LANES) {
    dots[k] = from.at[k];
    dots[params.width + k] = from.at[params.width + k];
  }
  for (uint k = lane(); k < done; k += LANES) both += from.at[k] * from.at[params.width + k];
  double quadratic = sumOfParts(DOT_PARTS, params.dot_parts);
  reflection = reflectionOfColumn(before, params.norm_parts);
  // v A v of v = x - alpha e, e the unit vector of this column.
  double product = quadratic + reflection.alpha * (reflection.alpha * top_element - 2.0lf * top_product) -
                   2.0lf * subgroupAdd(both);
  bend = 0.5lf * reflection.tau * reflection.tau * product;
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
  bool below = row >= column && row < params.n;
  uint read = min(row, params.n - 1);
  Doubles matrix = gram();
  double x = matrix.at[read * params.stride + column];
  if (goes_on) {
    before = column - 1;
    last = before - params.first;
    double top_x = matrix.at[column * params.stride + column];
    Rows product = productsOfBefore(read);
    loadBefore(product.top, top_x);
    Taken taken = ofPanel(read);
    double own_v = vBefore(read), top_v = vBefore(column);
    double own_w = reflection.tau * (product.own - reflection.alpha * x - taken.product.own) - bend * own_v;
    double top_w = reflection.tau * (product.top - reflection.alpha * top_x - taken.product.top) - bend * top_v;
    if (!below) own_v = own_w = 0.0lf;
    if (row < params.stride) {
      panelV().at[last * params.stride + row] = own_v;
      panelW().at[last * params.stride + row] = own_w;
    }
    if (row == column) Doubles(batchPart(params.result, 2 * params.n)).at[params.n + before] = reflection.alpha;
    x -= taken.column + own_v * top_w + own_w * top_v;
  }
  if (FINISH_ONLY) return;
  if (row == column) Doubles(batchPart(params.result, 2 * params.n)).at[column] = x;
  if (!below || row == column) x = 0.0lf;
  if (row < params.stride) Doubles(vectorOf(column)).at[row] = x;
  writePart(x * x);
}
