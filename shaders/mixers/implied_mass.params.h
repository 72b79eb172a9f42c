#ifndef VITRINE_SHADERS_MIXERS_IMPLIED_MASS_PARAMS_H
#define VITRINE_SHADERS_MIXERS_IMPLIED_MASS_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct ImpliedMassParams {
  device_address state;    // StepState, whose position is that of the first token; 0: `first` is
  device_address q;        // f32, of a token and group at token * q_stride + group * q_group
  device_address k;        // (groups, context, ROW) f32
  device_address terms;    // (heads, context, 3) f32, see implied.glsl
  device_address lse;      // (heads, context) f32: log of the row's sum of |w|
  device_address summary;  // (heads, context) two words, as AttentionParams'
  uint tokens, heads, groups, context, q_stride, q_group;
  uint q_quad;  // q's first number, in vec4s from the start of its buffer (texel form, ALIGNED)
  float scale;  // of q . k
  uint first;
};

VITRINE_SHARED_END
#endif
