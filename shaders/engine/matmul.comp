#version 460
// variants: address texel
// y[token] = epilogue(W norm(x[token]) + bias), W (rows, columns) in any weight format, x and y float32.
// One subgroup computes ROWS rows for TOKENS tokens with its lanes side by side along a row: no shared memory and no
// barrier, which is what software devices want, and what a GPU wants for a few tokens. The RMS norm in front costs no
// pass of its own: W (g x / rms(x)) = (W (g x)) / rms(x), and the squares are summed while x goes by.
#include "common/device.glsl"
#include "engine/matmul.params.h"

layout(push_constant, scalar) uniform Push { MatmulParams params; };

#include "engine/weights.glsl"
#include "engine/epilogue.glsl"

layout(constant_id = 1) const uint ROWS = 8;    // even
layout(constant_id = 2) const uint TOKENS = 1;
layout(constant_id = 3) const bool NORM = false;
layout(constant_id = 8) const uint DEPTH = 1;   // chunks of each row in flight
// Neighbouring workgroups take the same rows and other tokens, so that the weights come from the cache.
layout(constant_id = 10) const bool TOKENS_FIRST = false;

#ifdef VARIANT_TEXEL
layout(set = 0, binding = 3) uniform samplerBuffer x_view;
layout(set = 0, binding = 4) uniform samplerBuffer gain_view;
#define LOAD_X(i) texelFetch(x_view, int(i))
#define LOAD_GAIN(i) texelFetch(gain_view, int(i))
#else
#define LOAD_X(i) Vec4s(params.x).at[i]
#define LOAD_GAIN(i) Vec4s(params.gain).at[i]
#endif

float acc[ROWS * TOKENS];
float squares[TOKENS];

void accumulate(Chunk weights[ROWS], uint chunk, uint token0) {
  [[unroll]] for (uint quad = 0; quad < CHUNK_QUADS; ++quad) {
    uint column = chunk * CHUNK_QUADS + quad;
    vec4 gain = NORM ? LOAD_GAIN(column) : vec4(1);
    vec4 x[TOKENS];
    [[unroll]] for (uint t = 0; t < TOKENS; ++t) {
      x[t] = LOAD_X(min(token0 + t, params.tokens - 1) * (params.x_stride / 4) + column);
      if (NORM) {
        squares[t] += dot(x[t], x[t]);
        x[t] *= gain;
      }
    }
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      vec4 w = decode4(weights[r], quad);
      [[unroll]] for (uint t = 0; t < TOKENS; ++t) acc[r * TOKENS + t] += dot(w, x[t]);
    }
  }
}

void main() {
  uvec2 group = TOKENS_FIRST ? gl_WorkGroupID.yx : gl_WorkGroupID.xy;
  uint unit = group.x * gl_NumSubgroups + gl_SubgroupID;
  uint row0 = unit * ROWS, token0 = group.y * TOKENS;
  if (row0 >= params.rows) return;
  [[unroll]] for (uint i = 0; i < ROWS * TOKENS; ++i) acc[i] = 0.0;
  [[unroll]] for (uint t = 0; t < TOKENS; ++t) squares[t] = 0.0;

  uint chunk = lane();
  if (DEPTH > 1) {
    for (; chunk + (DEPTH - 1) * LANES < params.chunks_per_row; chunk += DEPTH * LANES) {
      Chunk weights[DEPTH][ROWS];
      [[unroll]] for (uint d = 0; d < DEPTH; ++d)
        [[unroll]] for (uint r = 0; r < ROWS; ++r)
          LOAD_CHUNK(weights[d][r], min(row0 + r, params.rows - 1) * params.chunks_per_row + chunk + d * LANES);
      [[unroll]] for (uint d = 0; d < DEPTH; ++d) accumulate(weights[d], chunk + d * LANES, token0);
    }
  }
  for (; chunk < params.chunks_per_row; chunk += LANES) {
    Chunk weights[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; ++r)
      LOAD_CHUNK(weights[r], min(row0 + r, params.rows - 1) * params.chunks_per_row + chunk);
    accumulate(weights, chunk, token0);
  }

  [[unroll]] for (uint t = 0; t < TOKENS; ++t) {
    float scale = NORM ? inversesqrt(subgroupAdd(squares[t]) / float(params.columns) + params.epsilon) : 1.0;
    [[unroll]] for (uint r = 0; r < ROWS; ++r) acc[r * TOKENS + t] = subgroupAdd(acc[r * TOKENS + t]) * scale;
  }
  // Pair p is rows (2 (p / TOKENS), + 1) of token p % TOKENS; lane i takes pair base + i.
  const uint kPairs = ROWS / 2 * TOKENS;
  [[unroll]] for (uint base = 0; base < kPairs; base += LANES) {
    vec2 mine = vec2(0);
    [[unroll]] for (uint i = 0; i < min(LANES, kPairs - base); ++i) {
      uint pair = base + i, first = pair / TOKENS * 2 * TOKENS + pair % TOKENS;
      if (lane() == i) mine = vec2(acc[first], acc[first + TOKENS]);
    }
    uint pair = base + lane(), row = row0 + pair / TOKENS * 2, token = token0 + pair % TOKENS;
    if (pair < kPairs && row < params.rows && token < params.tokens) emitPair(row, token, mine);
  }
}
