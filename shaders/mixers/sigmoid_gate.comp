#version 460
// y = scale sigmoid(gate) x, or added to y. One subgroup a token.
#include "common/device.glsl"
#include "mixers/sigmoid_gate.params.h"

layout(push_constant, scalar) uniform Push { SigmoidGateParams params; };

layout(constant_id = 0) const bool ADD = false;

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  for (uint i = lane(); i < params.columns; i += LANES) {
    float v = params.scale * Floats(params.x).at[token * params.x_stride + i] /
              (1.0 + exp(-Floats(params.gate).at[token * params.gate_stride + i]));
    uint to = token * params.y_stride + i;
    Floats(params.y).at[to] = ADD ? Floats(params.y).at[to] + v : v;
  }
}
