#ifndef VITRINE_SHADERS_MIXERS_DELTA_PREPARE_PARAMS_H
#define VITRINE_SHADERS_MIXERS_DELTA_PREPARE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct DeltaPrepareParams {
  device_address q, k;        // (tokens, stride) f32: brought to length 1
  device_address beta;        // (tokens, beta_stride) f32: replaced by its sigmoid
  device_address step;        // (tokens, step_stride) f32: replaced by the decay
  device_address rate, bias;  // (key_heads * shared) f32: e^decay, dt_bias
  uint tokens, key_heads, key_dim;
  uint shared_by;  // value heads that share a key head
  uint stride, beta_stride, step_stride;
  float epsilon;  // added to the squared length
};

VITRINE_SHARED_END
#endif
