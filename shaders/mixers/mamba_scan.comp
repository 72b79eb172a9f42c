#version 460
// Mamba's selective scan (Gu and Dao, arXiv:2312.00752), one lane a channel with its state in registers:
//   h = exp(dt A) h + dt B x,  y = (C h + D x) silu(z),  token after token.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/functions.glsl"
#include "mixers/mamba_scan.params.h"

layout(push_constant, scalar) uniform Push { MambaScanParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint STATE = 16;

void main() {
  uint channel = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  if (channel >= params.inner) return;
  bool fresh = StepStateRef(params.state).it.position == 0;
  float decay[STATE], h[STATE];
  [[unroll]] for (uint n = 0; n < STATE; ++n) {
    decay[n] = Floats(params.decay).at[channel * STATE + n];
    h[n] = fresh ? 0.0 : Floats(params.h).at[channel * STATE + n];
  }
  float skip = Floats(params.skip).at[channel];
  float next_x = Floats(params.x).at[channel], next_z = Floats(params.z).at[channel];
  float next_dt = Floats(params.dt).at[channel];
  for (uint token = 0; token < params.tokens; ++token) {
    float x = next_x, z = next_z, dt = softplus(next_dt);
    uint ahead = min(token + 1, params.tokens - 1);  // loads of the next token run beside this one's sums
    next_x = Floats(params.x).at[ahead * params.stride + channel];
    next_z = Floats(params.z).at[ahead * params.stride + channel];
    next_dt = Floats(params.dt).at[ahead * params.dt_stride + channel];
    float y = skip * x, dtx = dt * x;
    uint bc = token * params.bc_stride;
    [[unroll]] for (uint n = 0; n < STATE; ++n) {
      h[n] = exp(dt * decay[n]) * h[n] + dtx * Floats(params.b).at[bc + n];
      y += h[n] * Floats(params.c).at[bc + n];
    }
    Floats(params.x).at[token * params.stride + channel] = y * silu(z);
  }
  [[unroll]] for (uint n = 0; n < STATE; ++n) Floats(params.h).at[channel * STATE + n] = h[n];
}
