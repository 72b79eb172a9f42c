#version 460
// RWKV-7's values (Peng et al., arXiv:2503.14456): those of the first block are kept, v of the others moves towards
// them by sigmoid(residual). One subgroup a token.
#include "common/device.glsl"
#include "mixers/value_residual.params.h"

layout(push_constant, scalar) uniform Push { ValueResidualParams params; };

layout(constant_id = 0) const bool FIRST = false;

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  for (uint i = lane(); i < params.width; i += LANES) {
    uint at = token * params.v_stride + i, first = token * params.first_stride + i;
    float v = Floats(params.v).at[at];
    if (FIRST) {
      Floats(params.first).at[first] = v;
    } else {
      float part = 1.0 / (1.0 + exp(-Floats(params.residual).at[token * params.residual_stride + i]));
      Floats(params.v).at[at] = v + (Floats(params.first).at[first] - v) * part;
    }
  }
}
