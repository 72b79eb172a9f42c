#version 460
// Griffin's linear recurrence (De et al., arXiv:2402.19427), one lane a channel: h = a h + added, y = h y.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/rg_lru_scan.params.h"

layout(push_constant, scalar) uniform Push { RgLruScanParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

void main() {
  uint channel = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  if (channel >= params.channels) return;
  float h = StepStateRef(params.state).it.position == 0 ? 0.0 : Floats(params.h).at[channel];
  for (uint token = 0; token < params.tokens; ++token) {
    h = Floats(params.a).at[token * params.a_stride + channel] * h +
        Floats(params.added).at[token * params.added_stride + channel];
    Floats(params.y).at[token * params.y_stride + channel] *= h;
  }
  Floats(params.h).at[channel] = h;
}
