#version 460
// See tridiagonal.glsl. Of the symmetric matrix only tiles on and below the diagonal are read: one tells what its rows
// add to A x and what its columns do, as the mirrored tile's rows would. Behind the tiles come workgroups with a subgroup
// for each dot product with a column of V and of W.
#include "common/device.glsl"
#include "svd/tridiagonal.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 8;
const uint PER_LANE = TILE / 2 / LANES, AT_ONCE = 4;  // pairs of columns of a lane; rows whose numbers are in flight

shared double of_subgroup[SUBGROUPS];
shared dvec2 of_columns[SUBGROUPS][TILE / 2];

dvec2 pairAt(uint64_t numbers, uint pair) {
  return pair < params.stride / 2 ? DoublePairs(numbers).at[pair] : dvec2(0);
}

// Sums of this subgroup's rows of the tile to their slot, of its columns to shared memory; x A x of these rows.
double multiplyRows(uint row0, uint pair0, uint64_t x, uint slot) {
  dvec2 of_x[PER_LANE], columns[PER_LANE];
  [[unroll]] for (uint i = 0; i < PER_LANE; ++i) {
    of_x[i] = pairAt(x, pair0 + i * LANES + lane());
    columns[i] = dvec2(0);
  }
  uint64_t matrix = uint64_t(gram());
  double quadratic = 0.0lf;
  for (uint first = gl_SubgroupID; first < TILE; first += AT_ONCE * SUBGROUPS) {
    dvec2 a[AT_ONCE][PER_LANE];
    [[unroll]] for (uint r = 0; r < AT_ONCE; ++r) {
      uint row = min(row0 + first + r * SUBGROUPS, params.n - 1);
      uint64_t numbers = matrix + uint64_t(row) * params.stride * 8;
      [[unroll]] for (uint i = 0; i < PER_LANE; ++i) a[r][i] = pairAt(numbers, pair0 + i * LANES + lane());
    }
    [[unroll]] for (uint r = 0; r < AT_ONCE; ++r) {
      uint row = row0 + first + r * SUBGROUPS;
      double own_x = row < params.n ? Doubles(x).at[row] : 0.0lf, sum = 0.0lf;
      [[unroll]] for (uint i = 0; i < PER_LANE; ++i) {
        sum += dot(a[r][i], of_x[i]);
        columns[i] += own_x * a[r][i];
      }
      sum = subgroupAdd(sum);
      quadratic += own_x * sum;
      if (lane() == 0 && row < params.n) productsOfSlot(slot).at[row] = sum;
    }
  }
  [[unroll]] for (uint i = 0; i < PER_LANE; ++i) of_columns[gl_SubgroupID][i * LANES + lane()] = columns[i];
  return quadratic;
}

double multiplyTile(uint tile, uint first) {
  uvec2 place = triangle(tile) + first;  // row, column
  double quadratic = multiplyRows(place.x * TILE, place.y * TILE / 2, vectorOf(params.column), place.y);
  if (place.x == place.y) return quadratic;
  barrier();
  for (uint i = gl_LocalInvocationIndex; i < TILE / 2; i += SUBGROUPS * LANES) {
    dvec2 sum = dvec2(0);
    [[unroll]] for (uint s = 0; s < SUBGROUPS; ++s) sum += of_columns[s][i];
    uint row = place.y * TILE + 2 * i;
    if (row < params.n) productsOfSlot(place.x).at[row] = sum.x;
    if (row + 1 < params.n) productsOfSlot(place.x).at[row + 1] = sum.y;
  }
  return 2.0lf * quadratic;
}

// Of v and column `item` of V, then of W.
void multiplyPanel(uint item) {
  uint done = params.column - params.first, below = params.column + 1;
  if (item >= 2 * done) return;
  uint at = item / done * params.width + item % done;
  uint64_t numbers = batchPart(params.panel, 2 * params.width * params.stride) + uint64_t(at) * params.stride * 8;
  uint64_t x = vectorOf(params.column);
  const uint AHEAD = 8;  // loads in flight
  double sum = 0.0lf;
  for (uint first = below / 2 + lane(); first < params.stride / 2; first += AHEAD * LANES) {
    dvec2 a[AHEAD], b[AHEAD];
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) {
      a[i] = pairAt(numbers, first + i * LANES);
      b[i] = pairAt(x, first + i * LANES);
    }
    [[unroll]] for (uint i = 0; i < AHEAD; ++i) sum += dot(a[i], b[i]);
  }
  sum = subgroupAdd(sum) - reflectionOfColumn(params.column, params.norm_parts).alpha * Doubles(numbers).at[below];
  if (lane() == 0) panelProducts().at[at] = sum;
}

void main() {
  uint dots = (2 * (params.column - params.first) + SUBGROUPS - 1) / SUBGROUPS;
  if (gl_WorkGroupID.x < dots) {
    multiplyPanel(gl_WorkGroupID.x * SUBGROUPS + gl_SubgroupID);
    return;
  }
  uint tile = gl_WorkGroupID.x - dots;
  double quadratic = multiplyTile(tile, (params.column + 1) / TILE);
  if (lane() == 0) of_subgroup[gl_SubgroupID] = quadratic;
  barrier();
  if (gl_LocalInvocationIndex != 0) return;
  double sum = 0.0lf;
  for (uint i = 0; i < SUBGROUPS; ++i) sum += of_subgroup[i];
  partsOf(DOT_PARTS).at[tile] = sum;
}
