// Weights in planes (core/model/packed_matrix.h): a chunk is what one 16-byte load of the first plane gives,
// CHUNK consecutive weights of a row; decode4 expands four of them to exact float values.
//   F32 4 · F16, BF16 8 · Q8 16 · Q4, Q5, Q4_K, Q5_K, Q6_K 32 weights a chunk
// The forms differ in how bytes are fetched: device addresses, or texel buffers where those are the fast loads.

layout(constant_id = 0) const uint WEIGHT = 0;

const uint WEIGHT_F32 = 0, WEIGHT_F16 = 1, WEIGHT_BF16 = 2, WEIGHT_Q8 = 3, WEIGHT_Q4 = 4, WEIGHT_Q5 = 5, WEIGHT_Q4_K = 6,
           WEIGHT_Q5_K = 7, WEIGHT_Q6_K = 8;

const uint CHUNK = WEIGHT == 0 ? 4 : (WEIGHT <= 2 ? 8 : (WEIGHT == 3 ? 16 : 32));
const uint CHUNK_QUADS = CHUNK / 4;  // vec4s of activations that a chunk meets

struct Chunk {
  uvec4 low;
  uvec2 high;
  float scale0, scale1;  // of the first and the second half
  float minimum;
};

#ifdef VARIANT_TEXEL
layout(set = 0, binding = 0) uniform usamplerBuffer low_plane;
layout(set = 0, binding = 1) uniform usamplerBuffer high_plane;
layout(set = 0, binding = 2) uniform usamplerBuffer scale_plane;
#define LOAD_LOW(i) texelFetch(low_plane, int(i))
#define LOAD_HIGH(i) texelFetch(high_plane, int(i)).x
#define LOAD_SCALE(i) texelFetch(scale_plane, int(i)).x
#else
#define LOAD_LOW(i) UVec4s(params.low).at[i]
#define LOAD_HIGH(i) Uints(params.high).at[i]
#define LOAD_SCALE(i) Uints(params.scales).at[i]
#endif

float signedByte(uint byte) { return float(int(byte << 24) >> 24); }

// `index`: of the chunk in the whole matrix, row * chunks_per_row + chunk.
#define LOAD_CHUNK(chunk, index)                                              \
  {                                                                           \
    chunk.low = LOAD_LOW(index);                                              \
    if (WEIGHT == WEIGHT_Q8) {                                                \
      chunk.scale0 = chunk.scale1 = uintBitsToFloat(LOAD_SCALE((index) >> 1)); \
    } else if (WEIGHT == WEIGHT_Q4 || WEIGHT == WEIGHT_Q5) {                  \
      vec2 scale = unpackHalf2x16(LOAD_SCALE(index));                         \
      chunk.scale0 = chunk.scale1 = scale.x;                                  \
      chunk.minimum = scale.y;                                                \
    } else if (WEIGHT >= WEIGHT_Q4_K) {                                       \
      uint super = ((index) >> 3) * 5, part = (index)&7;                      \
      vec2 outer = unpackHalf2x16(LOAD_SCALE(super));                         \
      uint inner = LOAD_SCALE(super + 1 + (part >> 1)) >> (16 * (part & 1));  \
      if (WEIGHT == WEIGHT_Q6_K) {                                            \
        chunk.scale0 = outer.x * signedByte(inner & 255);                     \
        chunk.scale1 = outer.x * signedByte((inner >> 8) & 255);              \
      } else {                                                                \
        chunk.scale0 = chunk.scale1 = outer.x * float(inner & 255);           \
        chunk.minimum = -outer.y * float((inner >> 8) & 255);                 \
      }                                                                       \
    }                                                                         \
    if (WEIGHT == WEIGHT_Q5 || WEIGHT == WEIGHT_Q5_K) chunk.high.x = LOAD_HIGH(index); \
    if (WEIGHT == WEIGHT_Q6_K) chunk.high = uvec2(LOAD_HIGH(2 * (index)), LOAD_HIGH(2 * (index) + 1)); \
  }

vec4 bytesToFloats(uint v) { return vec4(v & 255, (v >> 8) & 255, (v >> 16) & 255, v >> 24); }

// Weights 4 * quad .. 4 * quad + 3 of the chunk; `quad` is a constant after unrolling.
vec4 decode4(Chunk chunk, uint quad) {
  if (WEIGHT == WEIGHT_F32) return uintBitsToFloat(chunk.low);
  if (WEIGHT == WEIGHT_F16) return vec4(unpackHalf2x16(chunk.low[2 * quad]), unpackHalf2x16(chunk.low[2 * quad + 1]));
  if (WEIGHT == WEIGHT_BF16) {
    uvec2 pair = uvec2(chunk.low[2 * quad], chunk.low[2 * quad + 1]);
    return uintBitsToFloat(uvec4(pair.x << 16, pair.x & 0xffff0000u, pair.y << 16, pair.y & 0xffff0000u));
  }
  if (WEIGHT == WEIGHT_Q8) {
    uint v = chunk.low[quad] ^ 0x80808080u;  // two's complement to offset binary
    return (bytesToFloats(v) - 128.0) * chunk.scale0;
  }
  uint nibbles = (quad < 4 ? chunk.low[quad & 3] : chunk.low[quad & 3] >> 4) & 0x0f0f0f0fu;
  if (WEIGHT == WEIGHT_Q4 || WEIGHT == WEIGHT_Q4_K) return bytesToFloats(nibbles) * chunk.scale0 + chunk.minimum;
  if (WEIGHT == WEIGHT_Q5 || WEIGHT == WEIGHT_Q5_K) {
    uint bits = (chunk.high.x >> (4 * quad)) & 15;
    nibbles |= ((bits & 1) << 4) | ((bits & 2) << 11) | ((bits & 4) << 18) | ((bits & 8) << 25);
    return bytesToFloats(nibbles) * chunk.scale0 + chunk.minimum;
  }
  uint bits = ((quad < 4 ? chunk.high.x : chunk.high.y) >> (8 * (quad & 3))) & 255;  // Q6_K
  nibbles |= ((bits & 3) << 4) | ((bits & 12) << 10) | ((bits & 48) << 16) | ((bits & 192) << 22);
  return (bytesToFloats(nibbles) - 32.0) * (quad < 4 ? chunk.scale0 : chunk.scale1);
}
