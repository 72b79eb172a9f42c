#version 460
// Keeps a batch's queries and keys for the map that a mixer implies. One subgroup a (token, group).
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/implied_store.params.h"

layout(push_constant, scalar) uniform Push { ImpliedStoreParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

void main() {
  uint unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  uint token = unit / params.groups, group = unit % params.groups;
  if (token >= params.tokens) return;
  uint position = StepStateRef(params.state).it.position + token;
  bool keeps_query = position % params.q_step == 0;
  uint k_from = token * params.k_stride + group * params.width, q_from = token * params.q_stride + group * params.width;
  uint k_to = (group * params.context + position) * params.row;
  uint q_to = (group * params.q_rows + position / params.q_step) * params.row;
  for (uint i = lane(); i < params.row; i += LANES) {
    bool stored = i < params.width;
    Floats(params.k_store).at[k_to + i] = stored ? Floats(params.k).at[k_from + i] : 0.0;
    if (keeps_query) Floats(params.q_store).at[q_to + i] = stored ? Floats(params.q).at[q_from + i] : 0.0;
  }
}
