#ifndef VITRINE_SHADERS_ENGINE_SPLIT_HALVES_PARAMS_H
#define VITRINE_SHADERS_ENGINE_SPLIT_HALVES_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct SplitHalvesParams {
  device_address x;       // (tokens, x_stride) f32
  device_address halves;  // two planes (tokens, stride) f16: x / scale rounded, and what was rounded off
  device_address scales;  // (tokens) f32, powers of two
  uint tokens, columns;
  uint x_stride, stride;  // stride: a multiple of 32, zeros behind the columns
};

VITRINE_SHARED_END
#endif
