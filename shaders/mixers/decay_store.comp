#version 460
// What each step keeps of a recurrent state, into the rows of the batch's positions. A column of the mixer's rows
// stands for `shared_by` decays:
//   ready      the column itself                       gated DeltaNet, RWKV-7, RG-LRU, lightning attention
//   steps      exp(dt A), dt = clamp(softplus(scale dt' + bias))                         Mamba, Mamba-2
//   constant   exp of a rate, the same for all tokens                                    RWKV-4
//   gates      sigmoid(f)                                                                mLSTM
// One lane a decay, or, of means, one workgroup a (head, token).
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/decay_store.params.h"
#include "mixers/functions.glsl"

layout(push_constant, scalar) uniform Push { DecayStoreParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint RULE = 0;
layout(constant_id = 1) const bool MEAN = false;
layout(constant_id = 2) const uint SUBGROUPS = 1;
const uint RULE_READY = 0, RULE_STEPS = 1, RULE_CONSTANT = 2, RULE_GATES = 3;

shared float parts[32];  // of the subgroups

// What the decays of a column are computed from.
float stepOf(uint token, uint column) {
  if (RULE == RULE_CONSTANT) return 1.0;
  float x = Floats(params.x).at[token * params.stride + column];
  if (RULE != RULE_STEPS) return x;
  float raw = params.scale * x;
  if (params.bias != 0) raw += Floats(params.bias).at[column];
  return clamp(softplus(raw), params.least, params.most);
}

float decayOf(float x, uint number) {
  if (RULE == RULE_READY) return x;
  if (RULE == RULE_GATES) return 1.0 / (1.0 + exp(-x));
  return exp(x * Floats(params.rate).at[number]);
}

// Rows may lie further apart than 32 bits count.
Floats row(uint token, uint floats) {
  uint64_t position = uint64_t(StepStateRef(params.state).it.position + token);
  return Floats(params.decays + position * uint64_t(floats) * 4);
}

float sumOfHead(uint token, uint head) {
  float sum = 0.0;
  for (uint i = gl_SubgroupID * LANES + lane(); i < params.columns; i += SUBGROUPS * LANES) {
    uint column = head * params.columns + i;
    float x = stepOf(token, column), of_column = 0.0;
    for (uint n = 0; n < params.shared_by; ++n) of_column += decayOf(x, column * params.shared_by + n);
    sum += of_column;
  }
  return subgroupAdd(sum);
}

void main() {
  uint token = gl_WorkGroupID.y, each = params.columns * params.shared_by;
  if (!MEAN) {
    uint number = gl_WorkGroupID.x * LANES + lane(), numbers = params.heads * each;
    if (number >= numbers) return;
    row(token, numbers).at[number] = decayOf(stepOf(token, number / params.shared_by), number);
    return;
  }
  float sum = sumOfHead(token, gl_WorkGroupID.x);
  if (SUBGROUPS > 1) {
    if (lane() == 0) parts[gl_SubgroupID] = sum;
    barrier();
    sum = 0.0;
    for (uint i = lane(); i < SUBGROUPS; i += LANES) sum += parts[i];
    sum = subgroupAdd(sum);
  }
  if (gl_SubgroupID == 0 && lane() == 0) row(token, params.heads).at[gl_WorkGroupID.x] = sum / float(each);
}
