#version 460
// y = norm(x), or y = skip y + scale norm(x), one subgroup a token. The norm is RMS (Zhang and Sennrich,
// arXiv:1910.07467), layer norm (Ba et al., arXiv:1607.06450), or none.
#include "common/device.glsl"
#include "engine/norm.params.h"

layout(push_constant, scalar) uniform Push { NormParams params; };

layout(constant_id = 0) const uint KIND = 0;  // core::NormKind, 2: none
layout(constant_id = 1) const bool ADD = false;
const uint KIND_RMS = 0, KIND_LAYER = 1;

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  uint from = token * params.x_stride, to = token * params.y_stride;
  float mean = 0.0, scale = 1.0;
  if (KIND == KIND_LAYER) {
    float sum = 0.0;
    for (uint i = lane(); i < params.columns; i += LANES) sum += Floats(params.x).at[from + i];
    mean = subgroupAdd(sum) / float(params.columns);
  }
  if (KIND <= KIND_LAYER) {
    float squares = 0.0;
    for (uint i = lane(); i < params.columns; i += LANES) {
      float v = Floats(params.x).at[from + i] - mean;
      squares += v * v;
    }
    scale = inversesqrt(subgroupAdd(squares) / float(params.columns) + params.epsilon);
  }
  for (uint i = lane(); i < params.columns; i += LANES) {
    float gain = params.gain != 0 ? Floats(params.gain).at[i] : 1.0;
    float v = (Floats(params.x).at[from + i] - mean) * scale * gain;
    if (params.bias != 0) v += Floats(params.bias).at[i];
    Floats(params.y).at[to + i] = ADD ? params.skip * Floats(params.y).at[to + i] + params.scale * v : v;
  }
}
