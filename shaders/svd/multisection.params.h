#ifndef VITRINE_SHADERS_SVD_MULTISECTION_PARAMS_H
#define VITRINE_SHADERS_SVD_MULTISECTION_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MultisectionParams {
  device_address tridiagonal;  // (matrices, 2, n) f64: diagonal, beside it; the last of the latter is unused
  device_address bounds;  // (matrices, 2) f64: the largest |eigenvalue| at most, the largest square beside
  device_address values;  // (matrices, n) f64, ascending
  uint n;
};

VITRINE_SHARED_END
#endif
