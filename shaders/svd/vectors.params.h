#ifndef VITRINE_SHADERS_SVD_VECTORS_PARAMS_H
#define VITRINE_SHADERS_SVD_VECTORS_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// From a tridiagonal form and its eigenvalues to the eigenvectors of the matrix that was reduced. Doubles.
struct VectorsParams {
  device_address tridiagonal;   // (2, n): diagonal, then what lies beside it
  device_address values;        // (n), ascending
  device_address bounds;        // (1): of the eigenvalues' magnitudes
  device_address reflectors;    // (n, stride): row j is x of column j, then v
  device_address inverse_taus;  // (n)
  device_address vectors;       // (n, stride): column k belongs to value k
  device_address scratch;       // (n, stride); or (parts, block, stride) of apply_reflectors.comp
  device_address cross;         // (blocks, block, block): v_i . v_j of a block
  uint n, stride;
  uint block;  // of apply_reflectors.comp: which
  uint parts;  // that its products came in
};

VITRINE_SHARED_END
#endif
