#version 460
// variants: address texel
// Thumbnails of all heads of a layer: tile x tile pixels each. A row of pixels stands for one sampled query (the last
// stored one of its range), a pixel for all keys of its range: their maximum or mean, -1 where none is visible.
// x: pixels of a row, y: rows, z: heads.
#include "common/device.glsl"
#include "views/attention_overview.params.h"

layout(push_constant, scalar) uniform Push { AttentionOverviewParams params; };

#include "views/head.glsl"
#include "views/layer_heads.glsl"

layout(constant_id = 1) const bool MEAN = false;

layout(set = 0, binding = 2, r32f) uniform writeonly image2D picture;

void main() {
  uint x = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x, y = gl_WorkGroupID.y, h = gl_WorkGroupID.z;
  if (x >= params.tile) return;
  HeadRows head = rowsOfHead(params, h);
  uint q0 = pixelStart(y, head.tokens, params.tile), q1 = max(q0 + 1, pixelStart(y + 1, head.tokens, params.tile));
  uint k0 = pixelStart(x, head.tokens, params.tile), k1 = max(k0 + 1, pixelStart(x + 1, head.tokens, params.tile));
  uint query = storedQuery(head, min(q1, head.tokens) - 1);
  float value = -1.0, sum = 0.0;
  uint cells = 0;
  for (uint k = k0; k < min(k1, head.tokens); ++k) {
    if (!visible(head, query, k)) continue;
    float p = probability(head, query, k);
    value = max(value, p);
    sum += p;
    ++cells;
  }
  if (MEAN && cells > 0) value = sum / float(cells);
  imageStore(picture, ivec2(h * params.tile + x, params.layer * params.tile + y), vec4(value));
}
