#ifndef VITRINE_SHADERS_ENGINE_HEAD_PRODUCT_PARAMS_H
#define VITRINE_SHADERS_ENGINE_HEAD_PRODUCT_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct HeadProductParams {
  device_address low, high, scales;  // planes of W (heads * rows, columns)
  device_address x;                  // (tokens, x_stride) f32: heads side by side from x_first on
  device_address y;                  // (tokens, y_stride) f32: heads side by side, or 0
  device_address aux;                // QkvTarget, or 0
  uint rows, chunks_per_row;         // of a head
  uint x_stride, x_first, x_head;    // floats; x_head: of a head
  uint y_stride;
  uint tokens, heads;
  uint first;  // dimension of the query's row where the products begin
};

VITRINE_SHARED_END
#endif
