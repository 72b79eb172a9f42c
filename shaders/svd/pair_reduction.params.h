#ifndef VITRINE_SHADERS_SVD_PAIR_REDUCTION_PARAMS_H
#define VITRINE_SHADERS_SVD_PAIR_REDUCTION_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// A column of the reduction to tridiagonal form, see pair_reduction.glsl. Pairs of floats; each matrix of the
// batch has its own part of every buffer, one after another.
struct PairReductionParams {
  device_address gram;    // (n, stride)
  device_address work;    // (5, stride): v of even and of odd columns, w, A v, tau
  device_address result;  // (2, n): diagonal, then what lies beside it
  uint n, stride;
  uint work_room;  // pairs from one matrix's part of work to the next
  uint column;
};

VITRINE_SHARED_END
#endif
