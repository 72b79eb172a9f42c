#ifndef VITRINE_SHADERS_SVD_TOKEN_GRAM_PARAMS_H
#define VITRINE_SHADERS_SVD_TOKEN_GRAM_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct TokenGramParams {
  device_address rows;  // (matrices, ring, 4 row_stride) f32: row p lies at p % ring
  device_address gram;  // (matrices, window, window) sums: of rows p and q at (p % window, q % window)
  uint row_stride;      // groups of four numbers, what lies behind the columns is 0
  uint ring, window;
  uint first, end;  // the new rows
  uint begin;       // the oldest row with which they are multiplied
};

VITRINE_SHARED_END
#endif
