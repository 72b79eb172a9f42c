#version 460
// variants: address texel
// x[token] = table[ids[token]], expanded from any weight format. One subgroup a token.
#include "common/device.glsl"
#include "engine/embed.params.h"

layout(push_constant, scalar) uniform Push { EmbedParams params; };

#include "engine/weights.glsl"

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  uint row = min(Uints(params.ids).at[token], params.rows - 1);
  for (uint chunk = lane(); chunk < params.chunks_per_row; chunk += LANES) {
    Chunk weights;
    LOAD_CHUNK(weights, row * params.chunks_per_row + chunk);
    [[unroll]] for (uint quad = 0; quad < CHUNK_QUADS; ++quad)
      Vec4s(params.x).at[token * (params.x_stride / 4) + chunk * CHUNK_QUADS + quad] = decode4(weights, quad);
  }
}
