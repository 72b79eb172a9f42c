// y = (ADD ? y : 0) + scale (sum + shared_out sigmoid(gate)); see moe_combine.comp.
#ifndef VITRINE_SHADERS_ENGINE_MOE_COMBINE_PARAMS_H
#define VITRINE_SHADERS_ENGINE_MOE_COMBINE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MoeCombineParams {
  device_address x;                 // (tokens * top_k, y_stride) f32
  device_address y;                 // (tokens, y_stride) f32
  device_address weights;           // (tokens, top_k) f32
  device_address shared_out, gate;  // (tokens, y_stride), (tokens, gate_stride) f32, or 0
  uint tokens, columns;
  uint y_stride, gate_stride;
  uint top_k;
  float scale;
};

VITRINE_SHARED_END
#endif
