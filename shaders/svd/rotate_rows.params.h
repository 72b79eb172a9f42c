#ifndef VITRINE_SHADERS_SVD_ROTATE_ROWS_PARAMS_H
#define VITRINE_SHADERS_SVD_ROTATE_ROWS_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct RotateRowsParams {
  device_address rows;     // (matrices, n, 4 row_stride) f32
  device_address turns;    // (matrices, n, n) sums: row i is what makes new row i of the old ones
  device_address rotated;  // as rows; from row `kept` on nothing is written
  uint n, kept;
  uint row_stride;  // groups of four numbers
};

VITRINE_SHARED_END
#endif
