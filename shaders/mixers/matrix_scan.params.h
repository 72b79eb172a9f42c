#ifndef VITRINE_SHADERS_MIXERS_MATRIX_SCAN_PARAMS_H
#define VITRINE_SHADERS_MIXERS_MATRIX_SCAN_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MatrixScanParams {
  device_address state;    // StepState
  device_address q, k, v;  // (tokens, stride) f32, heads side by side
  device_address y;        // (tokens, y_stride) f32: (heads, columns)
  device_address decay,
      beta;  // (tokens, decay_stride) f32: of a head, or, with RULE_ERASE, of a key; beta may be 0
  device_address erase, write;  // (tokens, erase_stride) f32, RULE_ERASE only
  device_address s;             // (heads, columns, keys) f32
  uint tokens, heads, columns;
  uint key_group;  // heads that share q and k
  uint q_stride, k_stride, v_stride, y_stride, decay_stride, erase_stride;
  float scale;  // of y
};

VITRINE_SHARED_END
#endif
