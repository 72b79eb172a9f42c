#version 460
// Projected q, k, v of a batch to where attention wants them: optional RMS norm over each head of q and k, or over all
// of them together (QK norm, Henry et al., arXiv:2010.04245), rotation, cache, query store. One subgroup a (token, head); the heads of q come
// first, then k's, then v's. Does for models with QK norm, and after tiled products, what matmul's QKV epilogue does.
#include "common/device.glsl"
#include "engine/matmul.params.h"
#include "engine/qkv_scatter.params.h"

layout(push_constant, scalar) uniform Push { QkvScatterParams params; };

layout(constant_id = 7) const bool CACHE_F16 = true;
#include "engine/qkv_target.glsl"

float sumOfSquares(uint first, uint width) {
  float sum = 0.0;
  if ((first | width) % 4 == 0) {
    for (uint i = lane(); i < width / 4; i += LANES) {
      vec4 v = Vec4s(params.qkv).at[first / 4 + i];
      sum += dot(v, v);
    }
    return subgroupAdd(sum);
  }
  for (uint i = lane(); i < width; i += LANES) {
    float v = Floats(params.qkv).at[first + i];
    sum += v * v;
  }
  return subgroupAdd(sum);
}

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint head = unit % (params.heads + 2 * params.kv_heads), token = unit / (params.heads + 2 * params.kv_heads);
  if (token >= params.tokens) return;
  QkvTarget target = QkvTargetRef(params.aux).it;
  uint base = token * params.stride + head * target.head_dim;
  bool is_query = head < params.heads, is_key = !is_query && head < params.heads + params.kv_heads;
  device_address gain = is_query ? params.q_gain : (is_key ? params.k_gain : 0);
  float scale = 1.0;
  uint gain_at = 0;  // of this head's first value
  if (gain != 0) {
    uint width = is_query ? params.q_width : params.k_width;
    gain_at = (is_query ? head : head - params.heads) * target.head_dim % width;
    float squares = sumOfSquares(base - gain_at, width);
    scale = inversesqrt(squares / float(width) + (is_query ? params.q_epsilon : params.k_epsilon));
  }
  for (uint dim = 2 * lane(); dim < target.head_dim; dim += 2 * LANES) {
    vec2 pair = vec2(Floats(params.qkv).at[base + dim], Floats(params.qkv).at[base + dim + 1]) * scale;
    if (gain != 0) pair *= vec2(Floats(gain).at[gain_at + dim], Floats(gain).at[gain_at + dim + 1]);
    emitQkv(target, head * target.head_dim + dim, token, pair);
  }
}
