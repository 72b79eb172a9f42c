#version 460
// variants: address texel
// The mean probability that each key receives from the queries that see it. One lane a key; long sequences are
// sampled every query_step queries. A key that no sampled query sees gets -1.
#include "common/device.glsl"
#include "views/attention_received.params.h"

layout(push_constant, scalar) uniform Push { AttentionReceivedParams params; };

#include "views/head.glsl"

void main() {
  uint key = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
  if (key >= params.head.tokens) return;
  float sum = 0.0;
  uint count = 0;
  uint first = (key + params.query_step - 1) / params.query_step * params.query_step;
  for (uint q = first; q < params.head.tokens; q += params.query_step) {
    if (!visible(params.head, q, key)) continue;
    sum += probability(params.head, q, key);
    ++count;
  }
  Floats(params.received).at[key] = count > 0 ? sum / float(count) : -1.0;
}
