#version 460
// RMS norm of each group of a row's columns, with a gate: norm(x silu(z)), or norm(x) silu(z), or without one
// of both. One subgroup a (token, group).
#include "common/device.glsl"
#include "mixers/functions.glsl"
#include "mixers/gated_norm.params.h"

layout(push_constant, scalar) uniform Push { GatedNormParams params; };

layout(constant_id = 0) const bool NORM = true;
layout(constant_id = 1) const uint GATE = 1;
const uint GATE_BEFORE = 1, GATE_AFTER = 2;  // 0: none

float gate(uint at) { return silu(params.z_scale * Floats(params.z).at[at]); }

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint token = unit / params.groups, first = unit % params.groups * params.columns;
  if (token >= params.tokens) return;
  uint base = token * params.stride + first;
  float scale = 1.0;
  if (NORM) {
    float squares = 0.0;
    for (uint i = lane(); i < params.columns; i += LANES) {
      float v = Floats(params.x).at[base + i];
      if (GATE == GATE_BEFORE) v *= gate(base + i);
      squares += v * v;
    }
    scale = inversesqrt(subgroupAdd(squares) / float(params.columns) + params.epsilon);
  }
  for (uint i = lane(); i < params.columns; i += LANES) {
    float v = Floats(params.x).at[base + i] * scale;
    if (GATE != 0) v *= gate(base + i);
    if (params.gain != 0) v *= Floats(params.gain).at[first + i];
    Floats(params.y).at[base + i] = v;
  }
}
