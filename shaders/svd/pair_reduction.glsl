// Householder reduction of a symmetric matrix to tridiagonal form in pairs of floats, in two dispatches a column, the
// trailing matrix updated while it is multiplied (as tridiagonal_step.comp does it):
//   pair_column  w of column c - 1 from A v;  x = column c of A - v w^T - w v^T;  its v = x - alpha e, over a power of
//                two that brings its largest element near 1, since squares of floats leave their range soon;  tau
//   pair_rows    A -= v w^T + w v^T of column c - 1;  A v of the new v
#include "svd/pairs.glsl"
#include "svd/pair_reduction.params.h"

layout(push_constant, scalar) uniform Push { PairReductionParams params; };

uint64_t batchPart(uint64_t address, uint pairs) { return address + uint64_t(gl_WorkGroupID.y) * pairs * 8; }
uint64_t gramRow(uint row) {
  return batchPart(params.gram, params.n * params.stride) + uint64_t(row) * params.stride * 8;
}
uint64_t workRow(uint row) { return batchPart(params.work, params.work_room) + uint64_t(row) * params.stride * 8; }
uint64_t vectorOf(uint column) { return workRow(column % 2); }
const uint W = 2, PRODUCTS = 3, TAU = 4;  // rows of work
