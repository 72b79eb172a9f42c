#ifndef VITRINE_SHADERS_ENGINE_QKV_SCATTER_PARAMS_H
#define VITRINE_SHADERS_ENGINE_QKV_SCATTER_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct QkvScatterParams {
  device_address qkv;             // (tokens, stride) f32: q, k, v rows as the projection gave them
  device_address aux;             // QkvTarget
  device_address q_gain, k_gain;  // (head_dim) f32 of the norms over a head, or 0
  uint tokens, stride, heads, kv_heads;
  float q_epsilon, k_epsilon;
};

VITRINE_SHARED_END
#endif
