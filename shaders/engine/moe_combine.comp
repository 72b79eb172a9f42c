#version 460
// y[token] = sum over k of weight[k] x[choice k], in the order of the choices, so that a batch gives the same numbers
// each time. One subgroup a token.
#include "common/device.glsl"
#include "engine/moe_combine.params.h"

layout(push_constant, scalar) uniform Push { MoeCombineParams params; };

#include "engine/moe_sum.glsl"

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  for (uint column = lane(); column < params.columns; column += LANES) {
    float sum = 0.0;
    for (uint k = 0; k < params.top_k; ++k) {
      uint choice = token * params.top_k + k;
      sum += Floats(params.weights).at[choice] * Floats(params.x).at[choice * params.y_stride + column];
    }
    emitSum(token, column, sum);
  }
}
