#ifndef VITRINE_SHADERS_MIXERS_MAMBA2_SCAN_PARAMS_H
#define VITRINE_SHADERS_MIXERS_MAMBA2_SCAN_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct Mamba2ScanParams {
  device_address state;    // StepState
  device_address x;        // (tokens, stride) f32: x (inner), B, C (groups * STATE each); y takes x's place
  device_address dt;       // (tokens, stride) f32, (heads) of each row
  device_address dt_bias;  // (heads) f32
  device_address decay;    // (heads) f32: A
  device_address skip;     // (heads) f32: D
  device_address h;        // (inner, STATE) f32: carried from batch to batch
  uint tokens, stride, heads, head_dim, groups;
  float dt_scale, least_dt, most_dt;
};

VITRINE_SHARED_END
#endif
