#version 460
// variants: address texel
// y[token, head] = W[head] x[token, head] for all heads of a batch: what latent attention (arXiv:2405.04434) makes of
// each head's query before, and of its sum over latents after the attention. The products go to y, or into the queries'
// rows. A head's matrix is here what an expert's is to a mixture.
#include "common/device.glsl"
#include "engine/head_product.params.h"

layout(push_constant, scalar) uniform Push { HeadProductParams params; };

#include "engine/moe_product.glsl"

layout(constant_id = 3) const bool TO_QUERIES = false;
layout(constant_id = 7) const bool CACHE_F16 = true;
#include "engine/qkv_target.glsl"

void emitPair(uint head, uint row, uint token, vec2 pair) {
  if (TO_QUERIES) {
    QkvTarget target = QkvTargetRef(params.aux).it;
    emitQkv(target, head * target.head_dim + params.first + row, token, pair);
    return;
  }
  uint index = token * params.y_stride + head * params.rows + row;
  Floats(params.y).at[index] = pair.x;
  if (row + 1 < params.rows) Floats(params.y).at[index + 1] = pair.y;
}

void main() {
  // x: blocks of the heads' rows, y: tiles of tokens
  uint blocks = (params.rows + ROWS - 1) / ROWS, unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint head = unit / blocks, row0 = unit % blocks * ROWS, token0 = gl_WorkGroupID.y * TOKENS;
  if (head >= params.heads) return;
  uint x_rows[TOKENS];
  [[unroll]] for (uint t = 0; t < TOKENS; ++t)
    x_rows[t] = (min(token0 + t, params.tokens - 1) * params.x_stride + params.x_first + head * params.x_head) / 4;
  clearProduct();
  addProduct(head, row0, x_rows);
  [[unroll]] for (uint base = 0; base < kPairs; base += LANES) {
    vec2 mine = pairOfLane(base);
    uint pair = base + lane(), row = row0 + pair / TOKENS * 2, token = token0 + pair % TOKENS;
    if (pair < kPairs && row < params.rows && token < params.tokens) emitPair(head, row, token, mine);
  }
}
