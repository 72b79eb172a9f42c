#ifndef VITRINE_SHADERS_VIEWS_HEAD_MEANS_PARAMS_H
#define VITRINE_SHADERS_VIEWS_HEAD_MEANS_PARAMS_H
#include "views/attention_overview.params.h"
VITRINE_SHARED_BEGIN

struct HeadMeansParams {
  AttentionOverviewParams layer;  // tile and layer unused
  device_address summary;         // (heads, context) two words, see AttentionParams
  device_address pairs;           // (pair_count) of (query, key), stored queries only
  device_address means;           // (heads, 8) f32: entropy, first, local, previous, induction (-1: no pairs)
  uint pair_count, context;
};

VITRINE_SHARED_END
#endif
