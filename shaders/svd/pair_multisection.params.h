#ifndef VITRINE_SHADERS_SVD_PAIR_MULTISECTION_PARAMS_H
#define VITRINE_SHADERS_SVD_PAIR_MULTISECTION_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct PairMultisectionParams {
  device_address tridiagonal;  // (matrices, 2, n) pairs of floats: diagonal, beside it
  device_address values;       // (matrices, n) pairs of floats, ascending
  uint n;
};

VITRINE_SHARED_END
#endif
