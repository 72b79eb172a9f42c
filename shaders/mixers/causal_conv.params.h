#ifndef VITRINE_SHADERS_MIXERS_CAUSAL_CONV_PARAMS_H
#define VITRINE_SHADERS_MIXERS_CAUSAL_CONV_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct CausalConvParams {
  device_address state;         // StepState
  device_address x, y;          // (tokens, stride) f32, the first channel's; may be the same
  device_address b, c;          // (tokens, stride) f32, GATED only; y may be b
  device_address weight, bias;  // (kernel, channels) f32; (channels) f32 or 0
  device_address past;          // (kernel - 1, channels) f32: the inputs before the batch, oldest first
  uint tokens, channels, stride;
};

VITRINE_SHARED_END
#endif
