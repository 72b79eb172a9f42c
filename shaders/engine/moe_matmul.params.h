// Products of experts with the tokens that chose them. See moe_matmul.comp.
#ifndef VITRINE_SHADERS_ENGINE_MOE_MATMUL_PARAMS_H
#define VITRINE_SHADERS_ENGINE_MOE_MATMUL_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MoeMatmulParams {
  device_address low, high, scales;  // planes of all experts' rows, (experts * rows, columns)
  device_address x;                  // f32; choice i reads row i / x_share
  device_address bias;               // (experts * rows) f32, or 0
  device_address y;                  // (choices, y_stride) f32
  device_address tiles, sorted;      // MoeTile and u32; unused where each choice is a tile of its own
  device_address chosen;             // (choices) u32 experts; used in that case
  device_address gain;               // of an RMS norm of x, or 0
  uint rows, chunks_per_row;         // of one expert
  uint x_stride, y_stride;           // floats, multiples of 4
  uint x_share;
  uint columns;        // of x
  float epsilon;       // of the norm
  float alpha, limit;  // of the clamped activation
};

VITRINE_SHARED_END
#endif
