#ifndef VITRINE_SHADERS_MIXERS_GATED_NORM_PARAMS_H
#define VITRINE_SHADERS_MIXERS_GATED_NORM_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct GatedNormParams {
  device_address x, z, y;  // (tokens, stride) f32, the first column of each; y may be x or z
  device_address gain;     // (groups * columns) f32, or 0
  uint tokens, stride;
  uint groups, columns;  // of a group
  float epsilon;
  float z_scale;  // the gate is silu(z_scale * z)
};

VITRINE_SHARED_END
#endif
