#ifndef VITRINE_SHADERS_VIEWS_STATE_NORMS_PARAMS_H
#define VITRINE_SHADERS_VIEWS_STATE_NORMS_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct StateNormsParams {
  device_address state;  // (heads, floats) f32
  device_address norms;  // (heads) f32
  uint floats;
};

VITRINE_SHARED_END
#endif
