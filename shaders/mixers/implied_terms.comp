#version 460
// Log gains and running sums of log decays, for the map that a mixer implies (implied.glsl). One lane a head walks
// along the batch's tokens:
//   steps      dt = clamp(softplus(scale dt' + bias)): decay exp(dt A), gain dt     Mamba-2
//   constant   a decay for each head, gain 1                                        lightning attention
//   gates      decay sigmoid(f), gain e^i                                           mLSTM
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/functions.glsl"
#include "mixers/implied.glsl"
#include "mixers/implied_terms.params.h"

layout(push_constant, scalar) uniform Push { ImpliedTermsParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint RULE = 0;
const uint RULE_STEPS = 0, RULE_CONSTANT = 1, RULE_GATES = 2;

// sum + value, the rounding error kept (Knuth's two-sum, then a fast one).
vec2 add(vec2 sum, float value) {
  precise float high = sum.x + value;
  precise float part = high - sum.x;
  precise float lost = (sum.x - (high - part)) + (value - part);
  precise float low = sum.y + lost;
  precise float top = high + low;
  precise float rest = low - (top - high);
  return vec2(top, rest);
}

void main() {
  uint head = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * LANES + lane();
  if (head >= params.heads) return;
  uint position = StepStateRef(params.state).it.position, at = head * params.context + position;
  vec2 sum = position == 0 ? vec2(0) : loadTerms(params.terms, at - 1).sum;
  for (uint token = 0; token < params.tokens; ++token, ++at) {
    float decay = 0.0, gain = 0.0;
    if (RULE == RULE_STEPS) {
      float raw = params.scale * Floats(params.write).at[token * params.write_stride + head];
      float dt = clamp(softplus(raw + Floats(params.bias).at[head]), params.least, params.most);
      decay = dt * Floats(params.decay).at[head];
      gain = log(max(dt, kLeastProduct));
    } else if (RULE == RULE_CONSTANT) {
      decay = Floats(params.decay).at[head];
    } else {
      decay = -softplus(-Floats(params.keep).at[token * params.keep_stride + head]);
      gain = Floats(params.write).at[token * params.write_stride + head];
    }
    sum = add(sum, decay);
    Floats(params.terms).at[3 * at] = sum.x;
    Floats(params.terms).at[3 * at + 1] = sum.y;
    Floats(params.terms).at[3 * at + 2] = gain;
  }
}
