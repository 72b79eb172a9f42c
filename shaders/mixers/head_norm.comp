#version 460
// What follows a linear attention: a norm of each group of columns (RMS, or layer norm), gain and bias, then a gate.
//   DIVIDE  x is first divided by max(|n|, e^-m) + least, n in the column behind the group (mLSTM, arXiv:2405.04517)
//   BONUS   extra times the values is added before the gate (RWKV-7)
// One subgroup a (token, group).
#include "common/device.glsl"
#include "mixers/head_norm.params.h"

layout(push_constant, scalar) uniform Push { HeadNormParams params; };

layout(constant_id = 0) const bool LAYER = false;
layout(constant_id = 1) const uint GATE = 0;
layout(constant_id = 2) const bool DIVIDE = false;
layout(constant_id = 3) const bool BONUS = false;
const uint GATE_NONE = 0, GATE_PLAIN = 1, GATE_SIGMOID = 2, GATE_SILU = 3;

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint token = unit / params.groups, group = unit % params.groups, first = group * params.columns;
  if (token >= params.tokens) return;
  uint from = token * params.x_stride + group * params.x_group, to = token * params.y_stride + first;
  float extra = DIVIDE || BONUS ? Floats(params.extra).at[token * params.extra_stride + group] : 0.0;
  float divisor = DIVIDE ? max(abs(Floats(params.x).at[from + params.columns]), exp(-extra)) + params.least : 1.0;
  float mean = 0.0;
  if (LAYER) {
    float sum = 0.0;
    for (uint i = lane(); i < params.columns; i += LANES) sum += Floats(params.x).at[from + i] / divisor;
    mean = subgroupAdd(sum) / float(params.columns);
  }
  float squares = 0.0;
  for (uint i = lane(); i < params.columns; i += LANES) {
    float v = Floats(params.x).at[from + i] / divisor - mean;
    squares += v * v;
  }
  float scale = inversesqrt(subgroupAdd(squares) / float(params.columns) + params.epsilon);
  for (uint i = lane(); i < params.columns; i += LANES) {
    float v = (Floats(params.x).at[from + i] / divisor - mean) * scale;
    if (params.gain != 0) v *= Floats(params.gain).at[first + i];
    if (params.bias != 0) v += Floats(params.bias).at[first + i];
    if (BONUS) v += extra * Floats(params.values).at[token * params.value_stride + first + i];
    float gate = GATE != GATE_NONE ? Floats(params.gate).at[token * params.gate_stride + first + i] : 1.0;
    if (GATE >= GATE_SIGMOID) v /= 1.0 + exp(-gate);
    if (GATE == GATE_PLAIN || GATE == GATE_SILU) v *= gate;
    Floats(params.y).at[to + i] = v;
  }
}
