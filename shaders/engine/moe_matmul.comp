#version 460
// variants: address texel
// y[choice] = epilogue(W[expert] x[choice] + bias) for the choices of a batch: a tile of up to TOKENS choices of one
// expert a subgroup, or, where most experts have a single one, each choice by itself. Nothing is padded to a fullest
// expert.
#include "common/device.glsl"
#include "engine/moe_matmul.params.h"
#include "engine/moe_sort.params.h"

layout(push_constant, scalar) uniform Push { MoeMatmulParams params; };

#define HAS_GAIN
#include "engine/moe_product.glsl"

layout(constant_id = 3) const bool TILED = false;
layout(constant_id = 4) const bool GLU = false;     // rows are gate 0, up 0, gate 1 ..; y is what goes down
layout(constant_id = 5) const uint ACTIVATION = 0;  // core::Activation
layout(constant_id = 9) const bool CLAMPED = false;
#include "engine/activation.glsl"

layout(buffer_reference, scalar, buffer_reference_align = 4) readonly buffer Tiles { MoeTile at[]; };

float glu(float gate, float up) {
  if (!CLAMPED) return activate(gate) * up;
  float g = min(gate, params.limit);
  return g / (1.0 + exp(-params.alpha * g)) * (clamp(up, -params.limit, params.limit) + 1.0);
}

void emitPair(uint expert, uint row, uint choice, vec2 pair) {
  bool second = row + 1 < params.rows;
  if (HAS_BIAS) {
    pair.x += Floats(params.bias).at[expert * params.rows + row];
    if (second) pair.y += Floats(params.bias).at[expert * params.rows + row + 1];
  }
  if (GLU) {
    Floats(params.y).at[choice * params.y_stride + row / 2] = glu(pair.x, pair.y);
    return;
  }
  Floats(params.y).at[choice * params.y_stride + row] = pair.x;
  if (second) Floats(params.y).at[choice * params.y_stride + row + 1] = pair.y;
}

uint choiceOf(MoeTile tile, uint t) {
  uint place = tile.first + min(t, tile.count - 1);
  return TILED ? Uints(params.sorted).at[place] : place;
}

void main() {
  uint row0 = (gl_WorkGroupID.y * gl_NumSubgroups + gl_SubgroupID) * ROWS;
  MoeTile tile;
  if (TILED)
    tile = Tiles(params.tiles).at[gl_WorkGroupID.x];
  else
    tile = MoeTile(Uints(params.chosen).at[gl_WorkGroupID.x], gl_WorkGroupID.x, 1);
  if (row0 >= params.rows || tile.count == 0) return;
  uint x_rows[TOKENS];
  [[unroll]] for (uint t = 0; t < TOKENS; ++t)
    x_rows[t] = choiceOf(tile, t) / params.x_share * (params.x_stride / 4);
  clearProduct();
  addProduct(tile.expert, row0, x_rows);
  [[unroll]] for (uint t = 0; NORM && t < TOKENS; ++t) {
    float scale = inversesqrt(subgroupAdd(squares[t]) / float(params.columns) + params.epsilon);
    [[unroll]] for (uint r = 0; r < ROWS; ++r) acc[r * TOKENS + t] *= scale;
  }
  [[unroll]] for (uint base = 0; base < kPairs; base += LANES) {
    vec2 mine = pairOfLane(base);
    uint pair = base + lane(), row = row0 + pair / TOKENS * 2, t = pair % TOKENS;
    if (pair < kPairs && row < params.rows && t < tile.count) emitPair(tile.expert, row, choiceOf(tile, t), mine);
  }
}
