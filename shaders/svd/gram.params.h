#ifndef VITRINE_SHADERS_SVD_GRAM_PARAMS_H
#define VITRINE_SHADERS_SVD_GRAM_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct GramParams {
  device_address a;     // (matrices, rows, columns) f32, or f64
  device_address gram;  // (matrices, n, stride) f64, n the shorter of rows and columns
  uint n, long_side;    // the short one too
  uint columns;         // of a
  uint stride;          // doubles between rows of gram, even
};

VITRINE_SHARED_END
#endif
