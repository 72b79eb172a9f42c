#version 460
// Keeps the hidden states of a batch where spectra find them: that of position p in row p % rows of a ring. Tokens lie
// along y.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "engine/hidden_store.params.h"

layout(push_constant, scalar) uniform Push { HiddenStoreParams params; };

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

void main() {
  uint quad = gl_GlobalInvocationID.x, token = gl_WorkGroupID.y;
  if (quad >= params.row_stride) return;
  uint row = (StepStateRef(params.state).it.position + token) % params.rows;
  Vec4s(params.ring).at[row * params.row_stride + quad] = Vec4s(params.x).at[token * params.row_stride + quad];
}
