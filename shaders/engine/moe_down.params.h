// y = (ADD ? y : 0) + scale (sum + shared_out sigmoid(gate)); see moe_down.comp.
#ifndef VITRINE_SHADERS_ENGINE_MOE_DOWN_PARAMS_H
#define VITRINE_SHADERS_ENGINE_MOE_DOWN_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MoeDownParams {
  device_address low, high, scales;  // planes of all experts' rows, (experts * rows, columns)
  device_address x;                  // (choices, x_stride) f32
  device_address bias;               // (experts * rows) f32, or 0
  device_address y;                  // (tokens, y_stride) f32
  device_address chosen, weights;    // (tokens, top_k) u32 and f32
  device_address shared_out, gate;   // (tokens, y_stride) and (tokens, gate_stride) f32, or 0
  uint rows, chunks_per_row;
  uint x_stride, y_stride;
  uint top_k, gate_stride;
  float scale;
};

VITRINE_SHARED_END
#endif
