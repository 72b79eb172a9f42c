#version 460
// Mamba-2's scan (Dao and Gu, arXiv:2405.21060) in its recurrent form. One subgroup has ROWS rows of a head's
// state (head_dim, STATE) in registers, the lanes side by side along STATE:
//   h = exp(dt A) h + dt x B^T,  y = h C + D x,  token after token.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/functions.glsl"
#include "mixers/mamba2_scan.params.h"

layout(push_constant, scalar) uniform Push { Mamba2ScanParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint STATE = 128;
layout(constant_id = 1) const uint ROWS = 4;  // divides head_dim
const uint PARTS = (STATE + LANES - 1) / LANES;

void main() {
  uint row = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * ROWS;
  uint inner = params.heads * params.head_dim;
  if (row >= inner) return;
  bool fresh = StepStateRef(params.state).it.position == 0;
  uint head = row / params.head_dim, group = head / (params.heads / params.groups);
  float dt_bias = Floats(params.dt_bias).at[head], decay = Floats(params.decay).at[head];
  float skip = Floats(params.skip).at[head];
  float h[ROWS * PARTS];
  [[unroll]] for (uint r = 0; r < ROWS; ++r)
    [[unroll]] for (uint p = 0; p < PARTS; ++p) {
      uint n = p * LANES + lane();
      h[r * PARTS + p] = fresh || n >= STATE ? 0.0 : Floats(params.h).at[(row + r) * STATE + n];
    }
  for (uint token = 0; token < params.tokens; ++token) {
    uint base = token * params.stride;
    uint b_at = base + inner + group * STATE, c_at = b_at + params.groups * STATE;
    float dt = softplus(params.dt_scale * Floats(params.dt).at[base + head] + dt_bias);
    dt = clamp(dt, params.least_dt, params.most_dt);
    float keep = exp(dt * decay), x[ROWS], y[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      x[r] = Floats(params.x).at[base + row + r];
      y[r] = 0.0;
    }
    [[unroll]] for (uint p = 0; p < PARTS; ++p) {
      uint n = p * LANES + lane();
      float b = n < STATE ? Floats(params.x).at[b_at + n] : 0.0, c = n < STATE ? Floats(params.x).at[c_at + n] : 0.0;
      [[unroll]] for (uint r = 0; r < ROWS; ++r) {
        float next = keep * h[r * PARTS + p] + dt * x[r] * b;
        h[r * PARTS + p] = next;
        y[r] += next * c;
      }
    }
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      float sum = subgroupAdd(y[r]) + skip * x[r];
      if (lane() == r % LANES) Floats(params.x).at[base + row + r] = sum;
    }
  }
  [[unroll]] for (uint r = 0; r < ROWS; ++r)
    [[unroll]] for (uint p = 0; p < PARTS; ++p) {
      uint n = p * LANES + lane();
      if (n < STATE) Floats(params.h).at[(row + r) * STATE + n] = h[r * PARTS + p];
    }
}
