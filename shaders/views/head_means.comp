#version 460
// variants: address texel
// Means over all queries of each head's summary, and over the given (query, key) pairs of its probability: with pairs
// (q, token after an earlier occurrence of q's token) that is the induction score of Olsson et al., arXiv:2209.11895.
// One subgroup a head.
#include "common/device.glsl"
#include "views/head_means.params.h"

layout(push_constant, scalar) uniform Push { HeadMeansParams params; };

#include "views/head.glsl"
#include "views/layer_heads.glsl"

void main() {
  uint h = gl_WorkGroupID.x;
  HeadRows head = rowsOfHead(params.layer, h);
  vec4 sums = vec4(0);
  for (uint q = lane(); q < head.tokens; q += LANES) {
    uvec2 words = UVec2s(params.summary).at[h * params.context + q];
    sums += vec4(unpackHalf2x16(words.x), unpackHalf2x16(words.y));
  }
  sums = subgroupAdd(sums) / float(max(1, head.tokens));

  float induction = 0.0;
  for (uint i = lane(); i < params.pair_count; i += LANES) {
    uvec2 pair = UVec2s(params.pairs).at[i];
    if (visible(head, pair.x, pair.y)) induction += probability(head, pair.x, pair.y);
  }
  induction = subgroupAdd(induction);
  if (lane() == 0) {
    uint base = h * 8;
    for (uint c = 0; c < 4; ++c) Floats(params.means).at[base + c] = sums[c];
    Floats(params.means).at[base + 4] = params.pair_count > 0 ? induction / float(params.pair_count) : -1.0;
  }
}
