#version 460
// The Frobenius norm of each head's recurrent state, one subgroup a head.
#include "common/device.glsl"
#include "views/state_norms.params.h"

layout(push_constant, scalar) uniform Push { StateNormsParams params; };

void main() {
  uint head = gl_WorkGroupID.x, first = head * params.floats;
  float sum = 0.0;
  for (uint i = lane(); i < params.floats; i += LANES) {
    float value = Floats(params.state).at[first + i];
    sum += value * value;
  }
  sum = subgroupAdd(sum);
  if (lane() == 0) Floats(params.norms).at[head] = sqrt(sum);
}
