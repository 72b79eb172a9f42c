#version 460
// variants: address texel
// A region of one head's attention map at the resolution of the screen, recomputed from queries, keys and log-sum-exp.
// A pixel that stands for several cells takes their maximum or mean; -1 where no cell is visible. Lanes lie along keys.
#include "common/device.glsl"
#include "views/attention_map.params.h"

layout(push_constant, scalar) uniform Push { AttentionMapParams params; };

#include "views/head.glsl"

layout(constant_id = 1) const bool MEAN = false;
layout(constant_id = 2) const bool TO_BUFFER = false;

layout(set = 0, binding = 2, r32f) uniform writeonly image2D picture;

void main() {
  uint x = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, y = gl_WorkGroupID.y;
  if (x >= params.width) return;
  uint last = params.head.tokens - 1;
  uint q0 = params.query0 + pixelStart(y, params.queries, params.height);
  uint q1 = params.query0 + pixelStart(y + 1, params.queries, params.height);
  uint k0 = params.key0 + pixelStart(x, params.keys, params.width);
  uint k1 = params.key0 + pixelStart(x + 1, params.keys, params.width);
  float value = -1.0, sum = 0.0;
  uint cells = 0;
  uint first_stored = storedQuery(params.head, q0 + params.head.q_step - 1);
  if (first_stored >= q1) first_stored = storedQuery(params.head, q0);  // thinned store: the nearest one before
  for (uint q = first_stored; q < q1 && q <= last; q += params.head.q_step) {
    for (uint k = k0; k < min(k1, last + 1); ++k) {
      if (!visible(params.head, q, k)) continue;
      float p = probability(params.head, q, k);
      value = max(value, p);
      sum += p;
      ++cells;
    }
  }
  if (MEAN && cells > 0) value = sum / float(cells);
  if (params.histogram != 0 && value >= 0.0) {
    uint bin = uint(clamp((log2(max(value, 1e-12)) * 0.30103 + 8.0) * 8.0, 0.0, 63.0));
    atomicAdd(Uints(params.histogram).at[bin], 1);
  }
  if (TO_BUFFER)
    Floats(params.values).at[y * params.width + x] = value;
  else
    imageStore(picture, ivec2(x, y), vec4(value));
}
