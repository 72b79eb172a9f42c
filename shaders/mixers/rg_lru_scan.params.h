#ifndef VITRINE_SHADERS_MIXERS_RG_LRU_SCAN_PARAMS_H
#define VITRINE_SHADERS_MIXERS_RG_LRU_SCAN_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct RgLruScanParams {
  device_address state;        // StepState
  device_address a, added, y;  // (tokens, stride) f32 each; y holds the gate, which the output replaces
  device_address h;            // (channels) f32
  uint tokens, channels, a_stride, added_stride, y_stride;
};

VITRINE_SHARED_END
#endif
