#version 460
// variants: address texel
// x[token] = scale table[ids[token]] + positions[position], the table in any weight format. One subgroup a token.
#include "common/device.glsl"
#include "engine/embed.params.h"
#include "engine/state.params.h"

layout(push_constant, scalar) uniform Push { EmbedParams params; };

#include "engine/weights.glsl"

layout(constant_id = 1) const bool POSITIONS = false;
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  uint row = min(Uints(params.ids).at[token], params.rows - 1);
  uint position = POSITIONS ? min(StepStateRef(params.state).it.position + token, params.position_rows - 1) : 0;
  for (uint chunk = lane(); chunk < params.chunks_per_row; chunk += LANES) {
    Chunk weights;
    LOAD_CHUNK(weights, row * params.chunks_per_row + chunk);
    [[unroll]] for (uint quad = 0; quad < CHUNK_QUADS; ++quad) {
      vec4 v = decode4(weights, quad) * params.scale;
      uint column = chunk * CHUNK + 4 * quad;
      if (POSITIONS)
        [[unroll]] for (uint c = 0; c < 4; ++c)
          if (column + c < params.columns) v[c] += Floats(params.positions).at[position * params.columns + column + c];
      Vec4s(params.x).at[token * (params.x_stride / 4) + column / 4] = v;
    }
  }
}
