#ifndef VITRINE_SHADERS_MIXERS_SIGMOID_GATE_PARAMS_H
#define VITRINE_SHADERS_MIXERS_SIGMOID_GATE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct SigmoidGateParams {
  device_address gate, x;  // (tokens, gate_stride), (tokens, x_stride) f32
  device_address y;        // (tokens, y_stride) f32
  uint tokens, columns, gate_stride, x_stride, y_stride;
  float scale;
};

VITRINE_SHARED_END
#endif
