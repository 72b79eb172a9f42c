// Sorts the choices of a batch by expert. See moe_sort.comp.
#ifndef VITRINE_SHADERS_ENGINE_MOE_SORT_PARAMS_H
#define VITRINE_SHADERS_ENGINE_MOE_SORT_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MoeSortParams {
  device_address chosen;  // (choices) u32 experts; choice i is token i / top_k's
  device_address sorted;  // (choices) u32: choices, by expert and then in their own order
  device_address tiles;   // (choices / tile + experts) MoeTile
  uint choices, experts, tile;
};

// Choices of one expert that are multiplied together.
struct MoeTile {
  uint expert;
  uint first, count;  // in `sorted`; none where a place is not needed
};

VITRINE_SHARED_END
#endif
