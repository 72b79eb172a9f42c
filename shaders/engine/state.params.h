// What changes from one decode step to the next; lives in a small buffer so that a recorded step can be
// repeated.
#ifndef VITRINE_SHADERS_ENGINE_STATE_PARAMS_H
#define VITRINE_SHADERS_ENGINE_STATE_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct StepState {
  uint position;  // of the first token of the batch that is being read
  uint tokens;    // tokens in the cache when that batch is done; the sampler adds one
};

VITRINE_SHARED_END
#endif
