#ifndef VITRINE_SHADERS_MIXERS_IMPLIED_TERMS_PARAMS_H
#define VITRINE_SHADERS_MIXERS_IMPLIED_TERMS_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct ImpliedTermsParams {
  device_address state;  // StepState
  device_address terms;  // (heads, context, 3) f32, see implied.glsl; goes on from the position before
  device_address write;  // (tokens, write_stride) f32: steps (RULE_STEPS) or input gates (RULE_GATES)
  device_address keep;   // (tokens, keep_stride) f32: forget gates (RULE_GATES)
  device_address decay;  // (heads) f32: A (RULE_STEPS), log decays (RULE_CONSTANT)
  device_address bias;   // (heads) f32: of steps
  uint tokens, heads, context, write_stride, keep_stride;
  float scale, least, most;  // of steps
};

VITRINE_SHARED_END
#endif
