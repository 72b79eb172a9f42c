#ifndef VITRINE_SHADERS_ENGINE_HIDDEN_STORE_PARAMS_H
#define VITRINE_SHADERS_ENGINE_HIDDEN_STORE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct HiddenStoreParams {
  device_address state;  // StepState
  device_address x;      // (tokens, 4 row_stride) f32
  device_address ring;   // (rows, 4 row_stride) f32
  uint row_stride;       // groups of four numbers
  uint rows;
};

VITRINE_SHARED_END
#endif
