#ifndef VITRINE_SHADERS_SVD_MULTISECTION_PARAMS_H
#define VITRINE_SHADERS_SVD_MULTISECTION_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MultisectionParams {
  device_address tridiagonal;  // (matrices, 2, n) f64: diagonal, beside it; the last of the latter is unused
  // (matrices, steps, 2) f64: a step's diagonal element and the square of what lies before it, over the bound
  // and its square; beyond n what changes no count
  device_address terms;
  device_address bounds;  // (matrices) f64: the largest |eigenvalue| at most
  device_address values;  // (matrices, n) f64, ascending
  uint n, steps;          // steps: n, rounded up to a multiple of 8
};

VITRINE_SHARED_END
#endif
