#ifndef VITRINE_SHADERS_SVD_ORDERED_PARAMS_H
#define VITRINE_SHADERS_SVD_ORDERED_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

// Columns of a matrix of doubles, in another order.
struct OrderedParams {
  device_address from;     // (rows, stride)
  device_address to;       // (columns, rows): row k is column order[k]
  device_address order;    // (columns) u32
  device_address lengths;  // (columns)
  uint rows, columns, stride;
};

VITRINE_SHARED_END
#endif
