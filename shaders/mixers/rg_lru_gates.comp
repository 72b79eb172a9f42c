#version 460
// The gates of Griffin's linear recurrent unit (De et al., arXiv:2402.19427), block-diagonal products both:
//   a = exp(-speed sigmoid(W_r x + b_r)),  added = sqrt(1 - a^2) sigmoid(W_i x + b_i) x
// The sequence's first token has a = 0 and no root. A lane a channel, TOKENS tokens at a time share each weight.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/rg_lru_gates.params.h"

layout(push_constant, scalar) uniform Push { RgLruGatesParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint TOKENS = 4;

// 1 - e^-z without loss for small z.
float lost(float z) {
  if (z > 0.5) return 1.0 - exp(-z);
  return z * (1.0 - z / 2.0 * (1.0 - z / 3.0 * (1.0 - z / 4.0 * (1.0 - z / 5.0 * (1.0 - z / 6.0 * (1.0 - z / 7.0))))));
}

void main() {
  uint channel = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  uint token0 = gl_WorkGroupID.y * TOKENS;
  if (channel >= params.channels) return;
  uint first = channel / params.block * params.block, column = channel - first;
  float recurrence[TOKENS], gate[TOKENS];
  [[unroll]] for (uint t = 0; t < TOKENS; ++t) {
    recurrence[t] = Floats(params.recurrence_bias).at[channel];
    gate[t] = Floats(params.gate_bias).at[channel];
  }
  for (uint row = 0; row < params.block; ++row) {
    uint at = (first + row) * params.block + column;
    float w_recurrence = Floats(params.recurrence).at[at], w_gate = Floats(params.gate).at[at];
    [[unroll]] for (uint t = 0; t < TOKENS; ++t) {
      float x = Floats(params.x).at[min(token0 + t, params.tokens - 1) * params.x_stride + first + row];
      recurrence[t] += w_recurrence * x;
      gate[t] += w_gate * x;
    }
  }
  uint position = StepStateRef(params.state).it.position;
  [[unroll]] for (uint t = 0; t < TOKENS; ++t) {
    uint token = token0 + t;
    if (token >= params.tokens) break;
    float z = Floats(params.speed).at[channel] / (1.0 + exp(-recurrence[t]));
    float x = Floats(params.x).at[token * params.x_stride + channel] / (1.0 + exp(-gate[t]));
    bool fresh = position + token == 0;
    Floats(params.a).at[token * params.a_stride + channel] = fresh ? 0.0 : exp(-z);
    Floats(params.added).at[token * params.added_stride + channel] = fresh ? x : sqrt(lost(2.0 * z)) * x;
  }
}
