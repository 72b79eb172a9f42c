#version 460
// What RWKV-7's state is updated with (Peng et al., arXiv:2503.14456), one subgroup a (token, head):
//   w = exp(-e^(-1/2) sigmoid(w)),  a = sigmoid(a),  erase = unit(k k_k),  write = erase a,  k = k (1 + (a - 1) k_a)
#include "common/device.glsl"
#include "mixers/rwkv7_prepare.params.h"

layout(push_constant, scalar) uniform Push { Rwkv7PrepareParams params; };

const float FASTEST = 0.6065306597126334;  // e^(-1/2)

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint token = unit / params.heads, head = unit % params.heads;
  if (token >= params.tokens) return;
  float squares = 0.0;
  for (uint i = lane(); i < params.head_dim; i += LANES) {
    uint channel = head * params.head_dim + i;
    float key = Floats(params.k).at[token * params.k_stride + channel] * Floats(params.key_scale).at[channel];
    squares += key * key;
  }
  float norm = 1.0 / max(sqrt(subgroupAdd(squares)), 1e-12), extra = 0.0;
  for (uint i = lane(); i < params.head_dim; i += LANES) {
    uint channel = head * params.head_dim + i, key = token * params.k_stride + channel;
    uint decay = token * params.w_stride + channel, to = token * params.erase_stride + channel;
    float k = Floats(params.k).at[key];
    float a = 1.0 / (1.0 + exp(-Floats(params.a).at[token * params.a_stride + channel]));
    float erase = k * Floats(params.key_scale).at[channel] * norm;
    Floats(params.erase).at[to] = erase;
    Floats(params.write).at[to] = erase * a;
    k *= 1.0 + (a - 1.0) * Floats(params.key_rate).at[channel];
    Floats(params.k).at[key] = k;
    Floats(params.w).at[decay] = exp(-FASTEST / (1.0 + exp(-Floats(params.w).at[decay])));
    extra += Floats(params.r).at[token * params.r_stride + channel] * k * Floats(params.bonus).at[channel];
  }
  extra = subgroupAdd(extra);
  if (lane() == 0) Floats(params.extra).at[token * params.extra_stride + head] = extra;
}
