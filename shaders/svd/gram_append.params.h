#ifndef VITRINE_SHADERS_SVD_GRAM_APPEND_PARAMS_H
#define VITRINE_SHADERS_SVD_GRAM_APPEND_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct GramAppendParams {
  device_address rows;   // of the first matrix, f16 or f32
  device_address grams;  // (matrices, width, width) sums
  uint matrix_stride;    // groups of four numbers between matrices
  uint row_stride;       // the same between rows
  uint width;            // columns that count; what lies behind them up to a multiple of 4 is not kept
  uint first, count;     // rows to add
  uint ring;             // rows after which the first one follows
  uint fresh;            // not 0: starts from zero
};

VITRINE_SHARED_END
#endif
