// Dot products of ROWS rows of an expert's matrix with TOKENS rows of x, lanes side by side along a row as in
// matmul.comp. Needs `params` with low, high, scales, x, rows, chunks_per_row.
#include "engine/weights.glsl"

layout(constant_id = 1) const uint ROWS = 8;  // even
layout(constant_id = 2) const uint TOKENS = 1;
layout(constant_id = 6) const bool HAS_BIAS = false;
layout(constant_id = 8) const uint DEPTH = 1;  // chunks of each row in flight
#ifdef HAS_GAIN  // params.gain, columns, epsilon
layout(constant_id = 11) const bool NORM = false;  // x goes through an RMS norm first, as in matmul.comp
#define LOAD_GAIN(i) Vec4s(params.gain).at[i]
#else
const bool NORM = false;
#define LOAD_GAIN(i) vec4(1)
#endif

#ifdef VARIANT_TEXEL
layout(set = 0, binding = 3) uniform samplerBuffer x_view;
#define LOAD_X(i) texelFetch(x_view, int(i))
#else
#define LOAD_X(i) Vec4s(params.x).at[i]
#endif

float acc[ROWS * TOKENS];  // of this lane's part of the columns
float squares[TOKENS];     // of x there

void clearProduct() {
  [[unroll]] for (uint i = 0; i < ROWS * TOKENS; ++i) acc[i] = 0.0;
  [[unroll]] for (uint t = 0; t < TOKENS; ++t) squares[t] = 0.0;
}

void accumulate(Chunk weights[ROWS], uint chunk, uint x_rows[TOKENS]) {
  [[unroll]] for (uint quad = 0; quad < CHUNK_QUADS; ++quad) {
    uint column = chunk * CHUNK_QUADS + quad;
    vec4 x[TOKENS];
    vec4 gain = NORM ? LOAD_GAIN(column) : vec4(1);
    [[unroll]] for (uint t = 0; t < TOKENS; ++t) {
      x[t] = LOAD_X(x_rows[t] + column);
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

// `x_rows`: where each token's row begins, in vec4s.
void addProduct(uint expert, uint row0, uint x_rows[TOKENS]) {
  uint base = expert * params.rows, chunk = lane();
  if (DEPTH > 1) {
    for (; chunk + (DEPTH - 1) * LANES < params.chunks_per_row; chunk += DEPTH * LANES) {
      Chunk weights[DEPTH][ROWS];
      [[unroll]] for (uint d = 0; d < DEPTH; ++d)
        [[unroll]] for (uint r = 0; r < ROWS; ++r)
          LOAD_CHUNK(weights[d][r], (base + min(row0 + r, params.rows - 1)) * params.chunks_per_row + chunk + d * LANES);
      [[unroll]] for (uint d = 0; d < DEPTH; ++d) accumulate(weights[d], chunk + d * LANES, x_rows);
    }
  }
  for (; chunk < params.chunks_per_row; chunk += LANES) {
    Chunk weights[ROWS];
    [[unroll]] for (uint r = 0; r < ROWS; ++r)
      LOAD_CHUNK(weights[r], (base + min(row0 + r, params.rows - 1)) * params.chunks_per_row + chunk);
    accumulate(weights, chunk, x_rows);
  }
}

const uint kPairs = ROWS / 2 * TOKENS;

// Pair p is rows (2 (p / TOKENS), + 1) of token p % TOKENS; this lane's, of those from `base` on. All lanes take part.
vec2 pairOfLane(uint base) {
  vec2 mine = vec2(0);
  [[unroll]] for (uint i = 0; i < min(LANES, kPairs - base); ++i) {
    uint pair = base + i, first = pair / TOKENS * 2 * TOKENS + pair % TOKENS;
    vec2 sum = vec2(subgroupAdd(acc[first]), subgroupAdd(acc[first + TOKENS]));
    if (lane() == i) mine = sum;
  }
  return mine;
}
