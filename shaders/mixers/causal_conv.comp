#version 460
// A causal convolution over time with a kernel for each channel, one lane a channel: it walks along the batch's
// tokens with the last inputs in registers and leaves them for the next batch. y = silu(conv(x)), or, gated,
// y = c * conv(b * x).
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/causal_conv.params.h"
#include "mixers/functions.glsl"

layout(push_constant, scalar) uniform Push { CausalConvParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint KERNEL = 4;
layout(constant_id = 1) const bool SILU = true;
layout(constant_id = 2) const bool GATED = false;
const uint PAST = KERNEL > 1 ? KERNEL - 1 : 1;
const uint BLOCK = 8;  // tokens whose loads are in flight together

void main() {
  uint channel = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  if (channel >= params.channels) return;
  bool fresh = StepStateRef(params.state).it.position == 0;
  float weight[KERNEL], past[PAST];
  [[unroll]] for (uint k = 0; k < KERNEL; ++k) weight[k] = Floats(params.weight).at[k * params.channels + channel];
  [[unroll]] for (uint k = 0; k + 1 < KERNEL; ++k)
    past[k] = fresh ? 0.0 : Floats(params.past).at[k * params.channels + channel];
  float bias = params.bias != 0 ? Floats(params.bias).at[channel] : 0.0;
  for (uint first = 0; first < params.tokens; first += BLOCK) {
    float inputs[BLOCK];
    [[unroll]] for (uint i = 0; i < BLOCK; ++i) {
      uint at = min(first + i, params.tokens - 1) * params.stride + channel;
      inputs[i] = Floats(params.x).at[at];
      if (GATED) inputs[i] *= Floats(params.b).at[at];
    }
    [[unroll]] for (uint i = 0; i < BLOCK; ++i) {
      if (first + i >= params.tokens) break;
      uint at = (first + i) * params.stride + channel;
      float sum = bias + weight[KERNEL - 1] * inputs[i];
      [[unroll]] for (uint k = 0; k + 1 < KERNEL; ++k) sum += weight[k] * past[k];
      [[unroll]] for (uint k = 0; k + 2 < KERNEL; ++k) past[k] = past[k + 1];
      past[PAST - 1] = inputs[i];
      if (SILU) sum = silu(sum);
      if (GATED) sum *= Floats(params.c).at[at];
      Floats(params.y).at[at] = sum;
    }
  }
  [[unroll]] for (uint k = 0; k + 1 < KERNEL; ++k) Floats(params.past).at[k * params.channels + channel] = past[k];
}
