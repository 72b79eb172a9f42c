#ifndef VITRINE_SHADERS_ENGINE_NORM_PARAMS_H
#define VITRINE_SHADERS_ENGINE_NORM_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct NormParams {
  device_address x;     // (tokens, stride) f32
  device_address gain;  // (columns) f32, or 0
  device_address y;     // (tokens, stride) f32
  uint tokens, columns, stride;
  float epsilon;
};

VITRINE_SHARED_END
#endif
