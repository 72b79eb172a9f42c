#ifndef VITRINE_SHADERS_MIXERS_DECAY_STORE_PARAMS_H
#define VITRINE_SHADERS_MIXERS_DECAY_STORE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct DecayStoreParams {
  device_address state;   // StepState
  device_address x;       // (tokens, stride) f32: heads * columns of decays, steps or forget gates; by rule
  device_address rate;    // (heads * columns, shared) f32: A or log decays (RULE_STEPS, RULE_CONSTANT)
  device_address bias;    // (heads * columns) f32 of steps, or 0
  device_address decays;  // (context, heads * columns * shared) f32, or MEAN: (context, heads)
  uint tokens, heads, columns, shared_by, stride;
  float scale, least, most;  // of steps
};

VITRINE_SHARED_END
#endif
