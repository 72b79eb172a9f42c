#version 460
// variants: coopmat
// The product of matmul.comp for many tokens, on matrix units: a workgroup of four subgroups makes 64 rows x 64 tokens.
// Half floats go in, float32 sums come out; so that nothing is lost, activations are sums of two halves (split_halves.comp)
// and so are weights that one half cannot hold: high high + high low + low high.
#extension GL_KHR_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_16bit_storage : require
#include "common/device.glsl"
#include "engine/matmul.params.h"

layout(push_constant, scalar) uniform Push { MatmulParams params; };  // x: halves, gain: scales of split_halves

#include "engine/weights.glsl"
#include "engine/epilogue.glsl"

const uint ROWS = 64, TOKENS = 64, DEPTH = 32;  // of a workgroup's tile
const uint THREADS = 128;
const uint PITCH = DEPTH + 8;                   // halves; keeps rows on different banks
const uint OUT_PITCH = TOKENS + 4;
const bool SPLIT = WEIGHT != WEIGHT_F16;
const uint CHUNKS = DEPTH / CHUNK;              // of a row in a tile

shared f16vec4 w_high[ROWS * PITCH / 4], w_low[ROWS * PITCH / 4];
shared uvec4 x_high[TOKENS * PITCH / 8], x_low[TOKENS * PITCH / 8];
shared float sums[ROWS * OUT_PITCH];

// A tile travels through registers, so that the next one is on its way while this one is multiplied.
const uint CHUNKS_EACH = (ROWS * CHUNKS + THREADS - 1) / THREADS, EIGHTS_EACH = TOKENS * (DEPTH / 8) / THREADS;
Chunk weights[CHUNKS_EACH];
uvec4 highs[EIGHTS_EACH], lows[EIGHTS_EACH];

void fetch(uint row0, uint token0, uint column0) {
  [[unroll]] for (uint n = 0; n < CHUNKS_EACH; ++n) {
    uint i = min(gl_LocalInvocationIndex + n * THREADS, ROWS * CHUNKS - 1);
    uint row = min(row0 + i / CHUNKS, params.rows - 1), chunk = min(column0 / CHUNK + i % CHUNKS, params.chunks_per_row - 1);
    LOAD_CHUNK(weights[n], row * params.chunks_per_row + chunk);
  }
  uint plane = params.tokens * params.x_stride / 8;
  [[unroll]] for (uint n = 0; n < EIGHTS_EACH; ++n) {
    uint i = gl_LocalInvocationIndex + n * THREADS, token = min(token0 + i / (DEPTH / 8), params.tokens - 1);
    uint from = (token * params.x_stride + column0) / 8 + i % (DEPTH / 8);
    highs[n] = UVec4s(params.x).at[from];
    lows[n] = UVec4s(params.x).at[plane + from];
  }
}

void put(uint column0) {
  [[unroll]] for (uint n = 0; n < CHUNKS_EACH; ++n) {
    uint i = gl_LocalInvocationIndex + n * THREADS;
    if (i >= ROWS * CHUNKS) break;
    bool there = column0 / CHUNK + i % CHUNKS < params.chunks_per_row;
    [[unroll]] for (uint quad = 0; quad < CHUNK_QUADS; ++quad) {
      vec4 w = there ? decode4(weights[n], quad) : vec4(0);
      vec4 high = SPLIT ? uintBitsToFloat(floatBitsToUint(w) & 0xffffe000u) : w;  // by bits, as split_halves does
      uint at = i / CHUNKS * (PITCH / 4) + i % CHUNKS * CHUNK_QUADS + quad;
      w_high[at] = f16vec4(high);
      if (SPLIT) w_low[at] = f16vec4(w - high);
    }
  }
  [[unroll]] for (uint n = 0; n < EIGHTS_EACH; ++n) {
    uint i = gl_LocalInvocationIndex + n * THREADS, to = i / (DEPTH / 8) * (PITCH / 8) + i % (DEPTH / 8);
    x_high[to] = highs[n];
    x_low[to] = lows[n];
  }
}

void main() {
  uint token0 = gl_WorkGroupID.x * TOKENS, row0 = gl_WorkGroupID.y * ROWS;
  uint part_row = gl_SubgroupID / 2 * 32, part_token = gl_SubgroupID % 2 * 32;  // of this subgroup's 32 x 32
  coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator> acc[2][2];
  [[unroll]] for (uint r = 0; r < 2; ++r)
    [[unroll]] for (uint t = 0; t < 2; ++t) acc[r][t] = coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>(0.0);

  fetch(row0, token0, 0);
  for (uint column = 0; column < params.x_stride; column += DEPTH) {
    barrier();
    put(column);
    barrier();
    if (column + DEPTH < params.x_stride) fetch(row0, token0, column + DEPTH);
    [[unroll]] for (uint k = 0; k < DEPTH; k += 16) {
      coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA> high[2], low[2];
      [[unroll]] for (uint r = 0; r < 2; ++r) {
        uint at = ((part_row + 16 * r) * PITCH + k) / 4;
        coopMatLoad(high[r], w_high, at, PITCH / 4, gl_CooperativeMatrixLayoutRowMajor);
        if (SPLIT) coopMatLoad(low[r], w_low, at, PITCH / 4, gl_CooperativeMatrixLayoutRowMajor);
      }
      [[unroll]] for (uint t = 0; t < 2; ++t) {
        coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB> x;
        uint at = ((part_token + 16 * t) * PITCH + k) / 8;
        coopMatLoad(x, x_low, at, PITCH / 8, gl_CooperativeMatrixLayoutColumnMajor);
        [[unroll]] for (uint r = 0; r < 2; ++r) acc[r][t] = coopMatMulAdd(high[r], x, acc[r][t]);
        coopMatLoad(x, x_high, at, PITCH / 8, gl_CooperativeMatrixLayoutColumnMajor);
        [[unroll]] for (uint r = 0; r < 2; ++r) {
          if (SPLIT) acc[r][t] = coopMatMulAdd(low[r], x, acc[r][t]);
          acc[r][t] = coopMatMulAdd(high[r], x, acc[r][t]);
        }
      }
    }
  }

  [[unroll]] for (uint r = 0; r < 2; ++r)
    [[unroll]] for (uint t = 0; t < 2; ++t)
      coopMatStore(acc[r][t], sums, (part_row + 16 * r) * OUT_PITCH + part_token + 16 * t, OUT_PITCH, gl_CooperativeMatrixLayoutRowMajor);
  barrier();
  for (uint i = gl_LocalInvocationIndex; i < ROWS / 2 * TOKENS; i += THREADS) {
    uint pair = i % (ROWS / 2), local = i / (ROWS / 2), row = row0 + 2 * pair, token = token0 + local;
    if (row >= params.rows || token >= params.tokens) continue;
    float scale = Floats(params.gain).at[token];
    emitPair(row, token, scale * vec2(sums[2 * pair * OUT_PITCH + local], sums[(2 * pair + 1) * OUT_PITCH + local]));
  }
}
