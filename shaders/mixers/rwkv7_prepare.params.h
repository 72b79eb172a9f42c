#ifndef VITRINE_SHADERS_MIXERS_RWKV7_PREPARE_PARAMS_H
#define VITRINE_SHADERS_MIXERS_RWKV7_PREPARE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct Rwkv7PrepareParams {
  device_address r, k, w, a;                  // (tokens, stride) f32; k and w are replaced
  device_address erase, write;                // (tokens, erase_stride) f32: k k_k / |k k_k|, and that times a
  device_address extra;                       // (tokens, extra_stride) f32: r k r_k of each head
  device_address key_scale, key_rate, bonus;  // (heads * head_dim) f32
  uint tokens, heads, head_dim;
  uint r_stride, k_stride, w_stride, a_stride, erase_stride, extra_stride;
};

VITRINE_SHARED_END
#endif
