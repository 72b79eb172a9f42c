#version 460
// RWKV-4's weighted average of all values so far (Peng et al., arXiv:2305.13048), one lane a channel. Numerator and
// denominator are kept divided by e^max.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/rwkv4_scan.params.h"

layout(push_constant, scalar) uniform Push { Rwkv4ScanParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

const float NOTHING = -1e38;  // the exponent of an empty sum

void main() {
  uint channel = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane(), channels = params.channels;
  if (channel >= channels) return;
  bool fresh = StepStateRef(params.state).it.position == 0;
  float a = fresh ? 0.0 : Floats(params.sums).at[channel];
  float b = fresh ? 0.0 : Floats(params.sums).at[channels + channel];
  float most = fresh ? NOTHING : Floats(params.sums).at[2 * channels + channel];
  float w = Floats(params.decay).at[channel], u = Floats(params.first).at[channel];
  for (uint token = 0; token < params.tokens; ++token) {
    float k = Floats(params.k).at[token * params.k_stride + channel];
    float v = Floats(params.v).at[token * params.v_stride + channel];
    uint at = token * params.r_stride + channel;
    float r = Floats(params.r).at[at];
    float now = max(most, k + u);
    float old_part = exp(most - now), new_part = exp(k + u - now);
    float average = (old_part * a + new_part * v) / (old_part * b + new_part);
    Floats(params.r).at[at] = average / (1.0 + exp(-r));
    float next = max(most + w, k);
    float kept = exp(most + w - next), added = exp(k - next);
    a = kept * a + added * v;
    b = kept * b + added;
    most = next;
  }
  Floats(params.sums).at[channel] = a;
  Floats(params.sums).at[channels + channel] = b;
  Floats(params.sums).at[2 * channels + channel] = most;
}
