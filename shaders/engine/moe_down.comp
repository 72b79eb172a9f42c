#version 460
// variants: address texel
// y[token] = sum over k of weight[k] (W[expert k] x[choice k] + bias), for few tokens: the experts' last product and
// their sum in one, in the order of the choices.
#include "common/device.glsl"
#include "engine/moe_down.params.h"

layout(push_constant, scalar) uniform Push { MoeDownParams params; };

#include "engine/moe_product.glsl"
#include "engine/moe_sum.glsl"

// Of output `row`, in the same weighted sum.
float biasOf(uint token, uint row) {
  float sum = 0.0;
  for (uint k = 0; HAS_BIAS && k < params.top_k; ++k) {
    uint choice = token * params.top_k + k, expert = Uints(params.chosen).at[choice];
    sum += Floats(params.weights).at[choice] * Floats(params.bias).at[expert * params.rows + row];
  }
  return sum;
}

void main() {
  uint row0 = (gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID) * ROWS, token = gl_WorkGroupID.y;
  if (row0 >= params.rows) return;
  float total[ROWS];
  [[unroll]] for (uint r = 0; r < ROWS; ++r) total[r] = 0.0;
  for (uint k = 0; k < params.top_k; ++k) {
    uint choice = token * params.top_k + k;
    uint x_rows[TOKENS];
    x_rows[0] = choice * (params.x_stride / 4);
    clearProduct();
    addProduct(Uints(params.chosen).at[choice], row0, x_rows);
    float weight = Floats(params.weights).at[choice];
    [[unroll]] for (uint r = 0; r < ROWS; ++r) total[r] += weight * acc[r];
  }
  [[unroll]] for (uint r = 0; r < ROWS; ++r) acc[r] = total[r];
  [[unroll]] for (uint base = 0; base < kPairs; base += LANES) {
    vec2 mine = pairOfLane(base);
    uint pair = base + lane(), row = row0 + pair * 2;
    if (pair >= kPairs || row >= params.rows) continue;
    emitSum(token, row, mine.x + biasOf(token, row));
    if (row + 1 < params.rows) emitSum(token, row + 1, mine.y + biasOf(token, row + 1));
  }
}
