// One head's queries, keys and log-sum-exps, from which every map is computed: p(q, k) =
// exp(cap(scale q.k) - slope (q - k) - lse(q)), or, of a map that a recurrent mixer implies (IMPLIED),
// |w(q, k)| / exp(lse(q)) as mixers/implied.glsl says.
#ifndef VITRINE_SHADERS_VIEWS_HEAD_PARAMS_H
#define VITRINE_SHADERS_VIEWS_HEAD_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct HeadRows {
  device_address q;      // (stored rows, head_dim) of this head, row i is query i * q_step
  device_address k;      // (context, head_dim) of its kv head
  device_address lse;    // (context) f32
  device_address terms;  // (context, 3) f32, IMPLIED only
  uint q_quad, k_quad;   // the same places, in vec4s from the start of the buffers (texel form)
  uint q_step;
  uint tokens;  // length of the sequence
  uint window;  // keys that a query sees; 0: all
  float scale;
  float soft_cap;  // 0: none
  float slope;     // ALiBi's, 0: none
};

VITRINE_SHARED_END
#endif
