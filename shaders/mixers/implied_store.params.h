#ifndef VITRINE_SHADERS_MIXERS_IMPLIED_STORE_PARAMS_H
#define VITRINE_SHADERS_MIXERS_IMPLIED_STORE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct ImpliedStoreParams {
  device_address state;             // StepState
  device_address q, k;              // (tokens, stride) f32, groups of `width` side by side
  device_address q_store, k_store;  // (groups, q_rows, row), (groups, context, row) f32; zeros behind `width`
  uint tokens, groups, width, row, context;
  uint q_stride, k_stride;
  uint q_rows, q_step;  // every q_step-th query is kept
};

VITRINE_SHARED_END
#endif
