#ifndef VITRINE_SHADERS_MIXERS_TOKEN_SHIFT_PARAMS_H
#define VITRINE_SHADERS_MIXERS_TOKEN_SHIFT_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct TokenShiftParams {
  device_address state;  // StepState
  device_address x, y;   // (tokens, x_stride), (tokens, y_stride) f32: a plane for each mix
  device_address mix;    // (mixes, width) f32
  device_address past;   // (width) f32: the input before the batch
  uint tokens, width, plane, x_stride, y_stride;
};

VITRINE_SHARED_END
#endif
