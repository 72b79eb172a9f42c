// Chooses the experts of each token. See moe_route.comp.
#ifndef VITRINE_SHADERS_ENGINE_MOE_ROUTE_PARAMS_H
#define VITRINE_SHADERS_ENGINE_MOE_ROUTE_PARAMS_H
#include "engine/state.params.h"
VITRINE_SHARED_BEGIN

struct MoeRouteParams {
  device_address logits;      // (tokens, logits_stride) f32
  device_address correction;  // (experts) f32, or 0
  device_address chosen;      // (tokens, top_k) u32, best first
  device_address weights;     // (tokens, top_k) f32
  device_address state;       // StepState, where choices are kept
  device_address routing;     // (context, top_k) of expert and weight
  uint tokens, logits_stride, top_k;
  uint groups, top_groups;  // at most 32 groups
  float epsilon, scale;     // weight = scale score / (sum of the chosen + epsilon), where NORMALIZE
};

VITRINE_SHARED_END
#endif
