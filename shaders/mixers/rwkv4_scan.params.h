#ifndef VITRINE_SHADERS_MIXERS_RWKV4_SCAN_PARAMS_H
#define VITRINE_SHADERS_MIXERS_RWKV4_SCAN_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct Rwkv4ScanParams {
  device_address state;         // StepState
  device_address k, v, r;       // (tokens, stride) f32 each; the output replaces r
  device_address decay, first;  // (channels) f32: w, u
  device_address sums;          // (3, channels) f32: A, B, max
  uint tokens, channels, k_stride, v_stride, r_stride;
};

VITRINE_SHARED_END
#endif
