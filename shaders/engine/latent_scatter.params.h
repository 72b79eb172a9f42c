#ifndef VITRINE_SHADERS_ENGINE_LATENT_SCATTER_PARAMS_H
#define VITRINE_SHADERS_ENGINE_LATENT_SCATTER_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct LatentScatterParams {
  device_address query;  // (tokens, query_stride) f32: the heads' rotary parts in front
  device_address key;    // (tokens, key_stride) f32: the rotary key, then the latent
  device_address gain;   // (rank) f32, of the latent's norm
  device_address aux;    // QkvTarget
  uint tokens, heads;
  uint rank, rotary;  // dimensions
  uint query_stride, key_stride;
  float epsilon;
};

VITRINE_SHARED_END
#endif
