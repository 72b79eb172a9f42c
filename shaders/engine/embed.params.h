#ifndef VITRINE_SHADERS_ENGINE_EMBED_PARAMS_H
#define VITRINE_SHADERS_ENGINE_EMBED_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct EmbedParams {
  device_address low, high, scales;  // planes of the table (vocab, columns)
  device_address ids;                // (tokens) u32, each below rows
  device_address x;                  // (tokens, x_stride) f32
  device_address positions;          // (positions, columns) f32, added where there are any
  device_address state;              // StepState
  uint rows, chunks_per_row, columns;
  uint x_stride;
  uint tokens;
  uint position_rows;
  float scale;  // of the table's rows
};

VITRINE_SHARED_END
#endif
