#version 460
// What gated DeltaNet's state is updated with (Yang et al., arXiv:2412.06464), one subgroup a (token, key head):
//   q = q / |q|,  k = k / |k|,  beta = sigmoid(b),  d = exp(-rate softplus(step + bias))
#include "common/device.glsl"
#include "mixers/delta_prepare.params.h"
#include "mixers/functions.glsl"

layout(push_constant, scalar) uniform Push { DeltaPrepareParams params; };

void normalize(uint64_t rows, uint base) {
  float squares = 0.0;
  for (uint i = lane(); i < params.key_dim; i += LANES) {
    float v = Floats(rows).at[base + i];
    squares += v * v;
  }
  float scale = inversesqrt(subgroupAdd(squares) + params.epsilon);
  for (uint i = lane(); i < params.key_dim; i += LANES) Floats(rows).at[base + i] *= scale;
}

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint token = unit / params.key_heads, key_head = unit % params.key_heads;
  if (token >= params.tokens) return;
  uint base = token * params.stride + key_head * params.key_dim;
  normalize(params.q, base);
  normalize(params.k, base);
  for (uint i = lane(); i < params.shared_by; i += LANES) {
    uint head = key_head * params.shared_by + i;
    uint beta = token * params.beta_stride + head, step = token * params.step_stride + head;
    Floats(params.beta).at[beta] = 1.0 / (1.0 + exp(-Floats(params.beta).at[beta]));
    float dt = softplus(Floats(params.step).at[step] + Floats(params.bias).at[head]);
    Floats(params.step).at[step] = exp(-Floats(params.rate).at[head] * dt);
  }
}
