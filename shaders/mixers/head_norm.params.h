#ifndef VITRINE_SHADERS_MIXERS_HEAD_NORM_PARAMS_H
#define VITRINE_SHADERS_MIXERS_HEAD_NORM_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct HeadNormParams {
  device_address x, y;        // (tokens, x_stride), (tokens, y_stride) f32
  device_address gain, bias;  // (groups * columns) f32, or 0
  device_address gate;        // (tokens, gate_stride) f32, GATE only
  device_address extra,
      values;  // BONUS: (tokens, extra_stride), (tokens, value_stride) f32; DIVIDE: extra is m
  uint tokens, groups, columns;
  uint x_group;  // floats from one group of x to the next
  uint x_stride, y_stride, gate_stride, extra_stride, value_stride;
  float epsilon;
  float least;  // DIVIDE: added to the divisor
};

VITRINE_SHARED_END
#endif
