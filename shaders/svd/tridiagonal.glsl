// Householder reduction of a symmetric matrix to tridiagonal form by panels (Dongarra, Hammarling, Sorensen 1989;
// LAPACK's dsytrd), in two dispatches a column; once the rest is small, tridiagonal_step.comp goes on in one. With V, W of the panel so far, the trailing matrix is
// A - V W^T - W V^T, and of a column c:
//   tridiagonal_column   w of column c - 1 from A v;  x = column c of the trailing matrix;  parts of |x below c|^2
//   tridiagonal_product  v = x - alpha e, alpha = -sign |x|;  A x, V^T v, W^T v;  parts of x . A x
// and, behind the panel's last column,
//   tridiagonal_update   A -= V W^T + W V^T, on and below the diagonal alone
// All sums over workgroups are of parts in a fixed order, so that the result is the same to the bit each time. What
// one workgroup writes, none reads within a dispatch: x is kept for even and odd columns apart.
#include "svd/doubles.glsl"
#include "svd/tridiagonal.params.h"

layout(push_constant, scalar) uniform Push { TridiagonalParams params; };

uint64_t batchPart(uint64_t address, uint doubles) { return address + uint64_t(gl_WorkGroupID.y) * doubles * 8; }
Doubles gram() { return Doubles(batchPart(params.gram, params.n * params.stride)); }
Doubles panelV() { return Doubles(batchPart(params.panel, 2 * params.width * params.stride)); }
Doubles panelW() {
  return Doubles(batchPart(params.panel, 2 * params.width * params.stride) +
                 uint64_t(params.width) * params.stride * 8);
}
// Where x of a column lies.
uint64_t vectorOf(uint column) {
  return batchPart(params.vectors, params.kept * params.stride) + uint64_t(params.kept == 2 ? column % 2 : column) * params.stride * 8;
}
// A x of the column before in parts, a slot of n numbers each: of row block I that of the tile in column block J lies in
// slot J. Or, of tridiagonal_step.comp, A v of even and of odd columns.
Doubles productsOfSlot(uint slot) {
  return Doubles(batchPart(params.products, params.slots * params.stride + 2 * params.width) +
                 uint64_t(slot) * params.stride * 8);
}
Doubles panelProducts() { return productsOfSlot(params.slots); }  // V^T v, W^T v
Doubles partsOf(uint kind) {
  return Doubles(batchPart(params.parts, 3 * params.parts_room) + uint64_t(kind) * params.parts_room * 8);
}
const uint DOT_PARTS = 2, TILE = 128;

#include "svd/triangle.glsl"

double sumOfParts(uint kind, uint count) {
  const uint AHEAD_PARTS = 8;  // loads in flight
  Doubles from = partsOf(kind);
  double sum = 0.0lf;
  for (uint first = lane(); first < count; first += AHEAD_PARTS * LANES) {
    double parts[AHEAD_PARTS];
    [[unroll]] for (uint i = 0; i < AHEAD_PARTS; ++i) parts[i] = from.at[min(first + i * LANES, count - 1)];
    [[unroll]] for (uint i = 0; i < AHEAD_PARTS; ++i)
      if (first + i * LANES < count) sum += parts[i];
  }
  return subgroupAdd(sum);
}

// Of the column whose x and norm's parts are there.
Reflection reflectionOfColumn(uint column, uint norm_parts) {
  double head = Doubles(vectorOf(column)).at[column + 1];
  return reflectionOf(sumOfParts(column % 2, norm_parts), head);
}
