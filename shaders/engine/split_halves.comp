#version 460
// Activations as sums of two half floats for matrix units: x = scale (high + low), with a power of two for each token that
// brings its largest element below 2^14. 22 bits of every element that is not 2^17 times smaller survive. One subgroup a
// token.
#include "common/device.glsl"
#include "engine/split_halves.params.h"

layout(push_constant, scalar) uniform Push { SplitHalvesParams params; };

void main() {
  uint token = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (token >= params.tokens) return;
  uint from = token * params.x_stride;
  float largest = 0.0;
  for (uint i = lane(); i < params.columns; i += LANES) largest = max(largest, abs(Floats(params.x).at[from + i]));
  largest = subgroupMax(largest);
  float scale = largest > 0.0 ? exp2(ceil(log2(largest)) - 14.0) : 1.0;
  if (lane() == 0) Floats(params.scales).at[token] = scale;
  uint to = token * params.stride / 2, plane = params.tokens * params.stride / 2;  // pairs
  for (uint pair = lane(); pair < params.stride / 2; pair += LANES) {
    vec2 v = vec2(0);
    if (2 * pair < params.columns) v.x = Floats(params.x).at[from + 2 * pair] / scale;
    if (2 * pair + 1 < params.columns) v.y = Floats(params.x).at[from + 2 * pair + 1] / scale;
    // By bits: a compiler may take a float that went through a half for the float itself.
    vec2 high = uintBitsToFloat(floatBitsToUint(v) & 0xffffe000u);
    Uints(params.halves).at[to + pair] = packHalf2x16(high);
    Uints(params.halves).at[plane + to + pair] = packHalf2x16(v - high);
  }
}
