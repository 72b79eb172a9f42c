#ifndef VITRINE_SHADERS_MIXERS_RG_LRU_GATES_PARAMS_H
#define VITRINE_SHADERS_MIXERS_RG_LRU_GATES_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct RgLruGatesParams {
  device_address state;                       // StepState
  device_address x;                           // (tokens, x_stride) f32
  device_address a, added;                    // (tokens, a_stride), (tokens, added_stride) f32: out
  device_address recurrence, gate;            // (channels, block) f32: of each block (inputs, outputs)
  device_address recurrence_bias, gate_bias;  // (channels) f32
  device_address speed;                       // (channels) f32: 8 softplus(lambda)
  uint tokens, channels, block;
  uint x_stride, a_stride, added_stride;
};

VITRINE_SHARED_END
#endif
