#ifndef VITRINE_SHADERS_SVD_TRIDIAGONAL_PARAMS_H
#define VITRINE_SHADERS_SVD_TRIDIAGONAL_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// One step of the reduction to tridiagonal form, see tridiagonal.glsl. Doubles; each matrix of the batch has
// its own part of every buffer, one after another.
struct TridiagonalParams {
  device_address gram;         // (n, stride)
  device_address panel;        // (2, width, stride): the panel's V, then its W
  device_address vectors;      // (kept, stride): x of column c, in row c or, where two are kept, c % 2
  device_address products;     // (stride + 2 width): A v, V^T v, W^T v
  device_address parts;        // (3, parts): of |x|^2 of even and odd columns, of v . A v
  device_address result;       // (2, n): diagonal, then what lies beside it
  uint n, stride, width;       // width: columns of a panel
  uint slots, parts_room;      // doubles for each kind of parts
  uint column;                 // that is reduced
  uint first;                  // of the panel
  uint kept;                   // rows of vectors: 2, or n and more where all are wanted
  uint norm_parts, dot_parts;  // that the column before has left
};

VITRINE_SHARED_END
#endif
