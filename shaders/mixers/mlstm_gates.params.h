#ifndef VITRINE_SHADERS_MIXERS_MLSTM_GATES_PARAMS_H
#define VITRINE_SHADERS_MIXERS_MLSTM_GATES_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MlstmGatesParams {
  device_address state;        // StepState
  device_address write, keep;  // (tokens, stride) f32 each; replaced by e^(i - m), e^(log f + m' - m)
  device_address tops;         // (tokens, tops_stride) f32: m
  device_address last;         // (heads) f32: m before the batch
  uint tokens, heads, write_stride, keep_stride, tops_stride;
};

VITRINE_SHARED_END
#endif
