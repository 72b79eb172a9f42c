#version 460
// The exponential gates of xLSTM's matrix memory (Beck et al., arXiv:2405.04517), one lane a head:
//   m = max(log sigmoid(f) + m', i),  and both gates divided by e^m, so that nothing overflows.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/functions.glsl"
#include "mixers/mlstm_gates.params.h"

layout(push_constant, scalar) uniform Push { MlstmGatesParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

void main() {
  uint head = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  if (head >= params.heads) return;
  float m = StepStateRef(params.state).it.position == 0 ? 0.0 : Floats(params.last).at[head];
  for (uint token = 0; token < params.tokens; ++token) {
    uint write_at = token * params.write_stride + head, keep_at = token * params.keep_stride + head;
    float i = Floats(params.write).at[write_at];
    float kept = m - softplus(-Floats(params.keep).at[keep_at]);
    m = max(kept, i);
    Floats(params.write).at[write_at] = exp(i - m);
    Floats(params.keep).at[keep_at] = exp(kept - m);
    Floats(params.tops).at[token * params.tops_stride + head] = m;
  }
  Floats(params.last).at[head] = m;
}
