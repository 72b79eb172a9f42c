#version 460
// G = A A^T or A^T A, whichever is smaller, summed in double precision: products of floats are exact there. A workgroup
// computes a tile of G and writes it and its mirror image; the long side is walked in one fixed order.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/gram.params.h"

layout(push_constant, scalar) uniform Push { GramParams params; };

layout(constant_id = 0) const bool WIDE = false;  // rows < columns: G = A A^T
layout(constant_id = 2) const bool DOUBLE = false;  // the matrix's elements
layout(constant_id = 1) const uint EACH = 4;  // rows and columns of a thread: with more of them it reads less for each
const uint TILE = 64, DEPTH = 8, SIDE = TILE / EACH, THREADS = SIDE * SIDE, LOADS = TILE * DEPTH / THREADS;

shared double left[DEPTH][TILE + 2], right[DEPTH][TILE + 2];

// Element `k` along the long side of vector `i`, zero beyond the ends. Floats stay so until they are needed: to widen
// them is to wait for them.
float elementOfFloats(uint64_t matrix, uint i, uint k) {
  if (i >= params.n || k >= params.long_side) return 0.0;
  return Floats(matrix).at[WIDE ? i * params.columns + k : k * params.columns + i];
}
double elementOfDoubles(uint64_t matrix, uint i, uint k) {
  if (i >= params.n || k >= params.long_side) return 0.0lf;
  return Doubles(matrix).at[WIDE ? i * params.columns + k : k * params.columns + i];
}

// Which element of a tile a thread's load number `part` is: neighbouring threads read neighbours in memory.
uvec2 place(uint part) {
  uint item = part * THREADS + gl_LocalInvocationIndex;
  return WIDE ? uvec2(item / DEPTH, item % DEPTH) : uvec2(item % TILE, item / TILE);
}

void main() {
  // Tiles on and below the diagonal, numbered row by row.
  uint tile_row = uint((sqrt(8.0 * float(gl_WorkGroupID.x) + 1.0) - 1.0) / 2.0);
  while (tile_row * (tile_row + 1) / 2 > gl_WorkGroupID.x) --tile_row;
  while ((tile_row + 1) * (tile_row + 2) / 2 <= gl_WorkGroupID.x) ++tile_row;
  uint tile_column = gl_WorkGroupID.x - tile_row * (tile_row + 1) / 2;
  uint thread = gl_LocalInvocationIndex, x = thread % SIDE, y = thread / SIDE;
  uint64_t matrix = params.a + uint64_t(gl_WorkGroupID.y) * params.n * params.long_side * (DOUBLE ? 8 : 4);
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = 0.0lf;
  // On their way while the last ones are multiplied; of one kind.
  float next_left[LOADS], next_right[LOADS];
  double next_left_double[LOADS], next_right_double[LOADS];
  for (uint first = 0; first < params.long_side + DEPTH; first += DEPTH) {
    if (first > 0) {
      barrier();
      [[unroll]] for (uint part = 0; part < LOADS; ++part) {
        uvec2 at = place(part);
        left[at.y][at.x] = DOUBLE ? next_left_double[part] : double(next_left[part]);
        right[at.y][at.x] = DOUBLE ? next_right_double[part] : double(next_right[part]);
      }
      barrier();
    }
    [[unroll]] for (uint part = 0; part < LOADS; ++part) {
      uvec2 at = place(part);
      uint of_left = tile_row * TILE + at.x, of_right = tile_column * TILE + at.x, k = first + at.y;
      if (DOUBLE) {
        next_left_double[part] = elementOfDoubles(matrix, of_left, k);
        next_right_double[part] = elementOfDoubles(matrix, of_right, k);
      } else {
        next_left[part] = elementOfFloats(matrix, of_left, k);
        next_right[part] = elementOfFloats(matrix, of_right, k);
      }
    }
    if (first == 0) continue;
    for (uint k = 0; k < DEPTH; ++k) {
      double l[EACH], r[EACH];
      [[unroll]] for (uint i = 0; i < EACH; ++i) {
        l[i] = left[k][y * EACH + i];
        r[i] = right[k][x + SIDE * i];
      }
      [[unroll]] for (uint i = 0; i < EACH; ++i)
        [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = fma(l[i], r[j], sum[i][j]);
    }
  }
  Doubles gram = Doubles(params.gram + uint64_t(gl_WorkGroupID.y) * params.n * params.stride * 8);
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = tile_row * TILE + y * EACH + i, column = tile_column * TILE + x + SIDE * j;
    // Beyond n lie zeros, up to the stride.
    if (row < params.n && column < params.stride) gram.at[row * params.stride + column] = sum[i][j];
    if (column < params.n && row < params.stride && tile_row != tile_column)
      gram.at[column * params.stride + row] = sum[i][j];
  }
}
