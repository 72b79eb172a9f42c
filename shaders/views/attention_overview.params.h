#ifndef VITRINE_SHADERS_VIEWS_ATTENTION_OVERVIEW_PARAMS_H
#define VITRINE_SHADERS_VIEWS_ATTENTION_OVERVIEW_PARAMS_H
#include "views/head.params.h"
VITRINE_SHARED_BEGIN

struct AttentionOverviewParams {
  HeadRows head;          // of the layer's first head
  device_address slopes;  // (heads) f32, or 0 without ALiBi
  uint q_head_bytes;      // from one head's queries to the next
  uint k_head_bytes;      // from one kv head's keys to the next
  uint lse_head_floats;
  uint group;  // query heads a kv head
  uint tile;   // pixels
  uint layer;  // row of tiles in the picture
};

VITRINE_SHARED_END
#endif
