#ifndef VITRINE_SHADERS_MIXERS_MAMBA_SCAN_PARAMS_H
#define VITRINE_SHADERS_MIXERS_MAMBA_SCAN_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MambaScanParams {
  device_address state;  // StepState
  device_address x, z;   // (tokens, stride) f32, channel 0 of each; y takes x's place
  device_address dt;     // (tokens, dt_stride) f32, before softplus
  device_address b, c;   // (tokens, bc_stride) f32
  device_address decay;  // (inner, STATE) f32: A
  device_address skip;   // (inner) f32: D
  device_address h;      // (inner, STATE) f32: carried from batch to batch
  uint tokens, inner, stride, dt_stride, bc_stride;
};

VITRINE_SHARED_END
#endif
