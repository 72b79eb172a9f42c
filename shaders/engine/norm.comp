#version 460
// y = gain * x / sqrt(mean(x^2) + epsilon), one subgroup a token (Zhang and Sennrich, arXiv:1910.07467).
#include "common/device.glsl"
#include "engine/norm.params.h"

layout(push_constant, scalar) uniform Push { NormParams params; };

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  uint base = token * params.stride;
  float squares = 0.0;
  for (uint i = lane(); i < params.columns; i += LANES) {
    float v = Floats(params.x).at[base + i];
    squares += v * v;
  }
  float scale = inversesqrt(subgroupAdd(squares) / float(params.columns) + params.epsilon);
  for (uint i = lane(); i < params.columns; i += LANES) {
    float gain = params.gain != 0 ? Floats(params.gain).at[i] : 1.0;
    Floats(params.y).at[base + i] = Floats(params.x).at[base + i] * scale * gain;
  }
}
