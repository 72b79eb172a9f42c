#ifndef VITRINE_SHADERS_ENGINE_NORM_PARAMS_H
#define VITRINE_SHADERS_ENGINE_NORM_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct NormParams {
  device_address x, y;        // (tokens, x_stride), (tokens, y_stride) f32; may be the same
  device_address gain, bias;  // (columns) f32, or 0
  uint tokens, columns;
  uint x_stride, y_stride;
  float epsilon;
  float scale, skip;  // y = skip y + scale norm(x), where ADD
};

VITRINE_SHARED_END
#endif
