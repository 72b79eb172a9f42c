#ifndef VITRINE_SHADERS_MIXERS_VALUE_RESIDUAL_PARAMS_H
#define VITRINE_SHADERS_MIXERS_VALUE_RESIDUAL_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct ValueResidualParams {
  device_address v, first, residual;  // (tokens, stride) f32 each; residual unused in the first block
  uint tokens, width, v_stride, first_stride, residual_stride;
};

VITRINE_SHARED_END
#endif
