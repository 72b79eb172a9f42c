#ifndef VITRINE_SHADERS_ENGINE_EMBED_PARAMS_H
#define VITRINE_SHADERS_ENGINE_EMBED_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct EmbedParams {
  device_address low, high, scales;  // planes of the table (vocab, columns)
  device_address ids;                // (tokens) u32, each below rows
  device_address x;                  // (tokens, x_stride) f32
  uint rows, chunks_per_row;
  uint x_stride;
  uint tokens;
};

VITRINE_SHARED_END
#endif
