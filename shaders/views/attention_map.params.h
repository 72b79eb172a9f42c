#ifndef VITRINE_SHADERS_VIEWS_ATTENTION_MAP_PARAMS_H
#define VITRINE_SHADERS_VIEWS_ATTENTION_MAP_PARAMS_H
#include "views/head.params.h"
VITRINE_SHARED_BEGIN

struct AttentionMapParams {
  HeadRows head;
  device_address values;     // (height, width) f32 when the output is a buffer
  device_address histogram;  // 64 counters of log10(p) from -8 to 0, or 0
  uint query0, key0;         // the region's first cell
  uint queries, keys;        // its cells, at least as many as pixels
  uint width, height;
};

VITRINE_SHARED_END
#endif
