#version 460
// Products of matrices in double precision. A workgroup computes a tile of C, over its share of the inner side where
// gl_NumWorkGroups.z > 1: whoever reads C then adds up the parts.
#include "common/device.glsl"
#include "svd/doubles.glsl"
#include "svd/product.params.h"

layout(push_constant, scalar) uniform Push { ProductParams params; };

layout(constant_id = 0) const bool A_TRANSPOSED = false;
layout(constant_id = 1) const bool B_TRANSPOSED = false;
layout(constant_id = 2) const uint EACH = 4;  // rows and columns of a thread
const uint TILE = 64, DEPTH = 8, SIDE = TILE / EACH, THREADS = SIDE * SIDE, LOADS = TILE * DEPTH / THREADS;

shared double left[DEPTH][TILE + 2], right[DEPTH][TILE + 2];

uint row0, column0, behind;  // behind: the end of this workgroup's share of k

double leftAt(Doubles a, uint i, uint k) {
  if (row0 + i >= params.m || k >= behind) return 0.0lf;
  return a.at[A_TRANSPOSED ? k * params.a_stride + row0 + i : (row0 + i) * params.a_stride + k];
}

double rightAt(Doubles b, uint i, uint k) {
  if (column0 + i >= params.n || k >= behind) return 0.0lf;
  return b.at[B_TRANSPOSED ? (column0 + i) * params.b_stride + k : k * params.b_stride + column0 + i];
}

// Neighbouring threads read neighbours in memory.
uvec2 place(uint part, bool along_k) {
  uint item = part * THREADS + gl_LocalInvocationIndex;
  return along_k ? uvec2(item / DEPTH, item % DEPTH) : uvec2(item % TILE, item / TILE);
}

void main() {
  uint across = (params.n + TILE - 1) / TILE;
  row0 = gl_WorkGroupID.x / across * TILE;
  column0 = gl_WorkGroupID.x % across * TILE;
  uint share = ((params.k + gl_NumWorkGroups.z - 1) / gl_NumWorkGroups.z + DEPTH - 1) / DEPTH * DEPTH;
  uint begin = gl_WorkGroupID.z * share;
  behind = min(begin + share, params.k);
  uint batch = gl_WorkGroupID.y, x = gl_LocalInvocationIndex % SIDE, y = gl_LocalInvocationIndex / SIDE;
  Doubles a = Doubles(params.a + uint64_t(batch) * params.a_batch * 8);
  Doubles b = Doubles(params.b + uint64_t(batch) * params.b_batch * 8);
  double sum[EACH][EACH];
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) sum[i][j] = 0.0lf;
  double next_left[LOADS], next_right[LOADS];  // on their way while the last ones are multiplied
  for (uint first = begin; first < behind + DEPTH; first += DEPTH) {
    if (first > begin) {
      barrier();
      [[unroll]] for (uint part = 0; part < LOADS; ++part) {
        uvec2 l = place(part, !A_TRANSPOSED), r = place(part, B_TRANSPOSED);
        left[l.y][l.x] = next_left[part];
        right[r.y][r.x] = next_right[part];
      }
      barrier();
    }
    [[unroll]] for (uint part = 0; part < LOADS; ++part) {
      uvec2 l = place(part, !A_TRANSPOSED), r = place(part, B_TRANSPOSED);
      next_left[part] = leftAt(a, l.x, first + l.y);
      next_right[part] = rightAt(b, r.x, first + r.y);
    }
    if (first == begin) continue;
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
  Doubles c = Doubles(params.c + (uint64_t(batch) * params.c_batch + uint64_t(gl_WorkGroupID.z) * params.c_part) * 8);
  [[unroll]] for (uint i = 0; i < EACH; ++i) [[unroll]] for (uint j = 0; j < EACH; ++j) {
    uint row = row0 + y * EACH + i, column = column0 + x + SIDE * j, at = row * params.c_stride + column;
    bool inside = row < params.m && column < params.n;
    double before = inside && params.beta != 0.0lf ? params.beta * c.at[at] : 0.0lf;
    if (inside) c.at[at] = fma(params.alpha, sum[i][j], before);
  }
}
