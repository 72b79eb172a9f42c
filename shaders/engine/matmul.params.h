// y = epilogue(W norm(x) + bias) for a batch of tokens. See matmul.comp.
#ifndef VITRINE_SHADERS_ENGINE_MATMUL_PARAMS_H
#define VITRINE_SHADERS_ENGINE_MATMUL_PARAMS_H
#include "common/shared.h"
VITRINE_SHARED_BEGIN

struct MatmulParams {
  device_address low, high, scales;  // planes of W (rows, columns)
  device_address x;                  // (tokens, x_stride) f32
  device_address gain;               // (columns) f32 of the RMS norm in front, where there is one
  device_address bias;               // (rows) f32, or 0
  device_address y;                  // (tokens, y_stride) f32; unused by the QKV epilogue's k and v
  device_address aux;       // QKV: QkvTarget; gated: the gate's outputs (tokens, y_stride); scale rows: below
  device_address low_rank;  // LowRankTerm where LOW_RANK is on
  device_address z;         // (tokens, z_stride) f32 of it
  uint rows, chunks_per_row;
  uint columns;             // true number of columns, for the norm's mean
  uint x_stride, y_stride;  // floats, multiples of 4
  uint tokens;
  uint first_row;         // of this matrix in the concatenated q, k, v rows
  float epsilon;          // of the norm
  float scale, soft_cap;  // store and add: cap tanh(scale y / cap), or scale y where the cap is 0
};

// What adapters add to W norm(x): B z, z = A norm(x) with each of its rows scaled. That product's aux holds
// the adapters' scales (adapters) f32 and its low_rank the adapter of each row (rows) u32.
struct LowRankTerm {
  device_address b;      // (rows, width) f32
  device_address spans;  // (rows) pairs: first and number of the groups of four z that a row takes
  uint width, z_stride;  // floats, multiples of 4
};

// Where the QKV epilogue puts its rows: q rows first, then k, then v.
struct QkvTarget {
  device_address state;  // StepState
  device_address rope;   // (context, rotary_dim / 2) pairs cos, sin; adjacent dimensions turn together
  device_address q;      // (tokens, q_stride) f32
  device_address k_cache, v_cache;  // (kv_heads, context, head_dim)
  device_address q_store;           // (heads, stored rows, head_dim) in the cache's type, or 0
  uint q_rows, k_rows;              // heads * head_dim, kv_heads * head_dim
  uint head_dim, rotary_dim;
  uint context;
  uint q_stride;
  uint q_store_rows, q_store_step;  // capacity of the store; every step-th query is kept
};

VITRINE_SHARED_END
#endif
