#version 460
// RWKV's token shift: blends of each input with the one before it, y = mix x(t) + (1 - mix) x(t - 1). One lane a
// channel: it walks along the batch's tokens and leaves the last input for the next batch.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/token_shift.params.h"

layout(push_constant, scalar) uniform Push { TokenShiftParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint MIXES = 3;

void main() {
  uint channel = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  if (channel >= params.width) return;
  float mix_of[MIXES];
  [[unroll]] for (uint m = 0; m < MIXES; ++m) mix_of[m] = Floats(params.mix).at[m * params.width + channel];
  float past = StepStateRef(params.state).it.position == 0 ? 0.0 : Floats(params.past).at[channel];
  float next = Floats(params.x).at[channel];
  for (uint token = 0; token < params.tokens; ++token) {
    float x = next;
    uint ahead = min(token + 1, params.tokens - 1);  // its load runs beside this token's sums
    next = Floats(params.x).at[ahead * params.x_stride + channel];
    uint to = token * params.y_stride + channel;
    [[unroll]] for (uint m = 0; m < MIXES; ++m)
      Floats(params.y).at[to + m * params.plane] = mix_of[m] * x + (1.0 - mix_of[m]) * past;
    past = x;
  }
  Floats(params.past).at[channel] = past;
}
