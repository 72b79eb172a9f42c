#ifndef VITRINE_SHADERS_ENGINE_QKV_SCATTER_PARAMS_H
#define VITRINE_SHADERS_ENGINE_QKV_SCATTER_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct QkvScatterParams {
  device_address qkv;             // (tokens, stride) f32: q, k, v rows as the projection gave them
  device_address aux;             // QkvTarget
  device_address q_gain, k_gain;  // (q_width), (k_width) f32, or 0 without a norm
  uint tokens, stride, heads, kv_heads;
  uint q_width, k_width;  // values that a norm takes together: a head's, or those of all heads
  float q_epsilon, k_epsilon;
};

VITRINE_SHARED_END
#endif
