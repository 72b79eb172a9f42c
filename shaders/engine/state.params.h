// What changes from one decode step to the next; lives in a small buffer so that a recorded step can be repeated.
#ifndef VITRINE_SHADERS_ENGINE_STATE_PARAMS_H
#define VITRINE_SHADERS_ENGINE_STATE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct StepState {
  uint position;  // of the first token of this batch; the sampler adds one
  uint sampled;   // tokens sampled since the host last looked
  uint unused0, unused1;
};

VITRINE_SHARED_END
#endif
