#ifndef VITRINE_SHADERS_SVD_SQUARES_PARAMS_H
#define VITRINE_SHADERS_SVD_SQUARES_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct SquaresParams {
  device_address numbers;  // (matrices, rows, stride)
  device_address sums;     // (matrices, parts) f64
  uint rows, columns, stride;
};

VITRINE_SHARED_END
#endif
