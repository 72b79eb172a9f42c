#version 460
// Latent attention (arXiv:2405.04434): the rotary key turns and the latent is normed (RMS) into their row of the cache,
// (rotary, latent); the rotary part of each query turns into the front of the query's row, which head_product fills up.
// One subgroup a (token, head); the cache's row comes after the heads.
#include "common/device.glsl"
#include "engine/latent_scatter.params.h"

layout(push_constant, scalar) uniform Push { LatentScatterParams params; };

layout(constant_id = 7) const bool CACHE_F16 = true;
#include "engine/qkv_target.glsl"

vec2 pairAt(device_address rows, uint first) { return vec2(Floats(rows).at[first], Floats(rows).at[first + 1]); }

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint head = unit % (params.heads + 1), token = unit / (params.heads + 1);
  if (token >= params.tokens) return;
  QkvTarget target = QkvTargetRef(params.aux).it;
  uint row = head * target.head_dim;  // the key's rows come after all queries'
  if (head < params.heads) {
    uint from = token * params.query_stride + head * params.rotary;
    for (uint dim = 2 * lane(); dim < params.rotary; dim += 2 * LANES)
      emitQkv(target, row + dim, token, pairAt(params.query, from + dim));
    return;
  }
  uint from = token * params.key_stride, latent = from + params.rotary;
  float squares = 0.0;
  for (uint i = lane(); i < params.rank; i += LANES) {
    float v = Floats(params.key).at[latent + i];
    squares += v * v;
  }
  float scale = inversesqrt(subgroupAdd(squares) / float(params.rank) + params.epsilon);
  for (uint dim = 2 * lane(); dim < params.rotary; dim += 2 * LANES)
    emitQkv(target, row + dim, token, pairAt(params.key, from + dim));
  for (uint i = 2 * lane(); i < params.rank; i += 2 * LANES)
    emitQkv(target, row + params.rotary + i, token, scale * pairAt(params.gain, i) * pairAt(params.key, latent + i));
}
