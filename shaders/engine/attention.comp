#version 460
// variants: address texel
// O = softmax(scale Q K^T) V with an online softmax (Milakov and Gimelshein, arXiv:1805.02867; FlashAttention,
// arXiv:2205.14135), and the log-sum-exp of each row. Grouped heads share the reads of K and V.
// One subgroup computes HEADS query heads of one kv head for QUERIES tokens over one split of the keys: lanes stand for
// keys while scores are made, for dimensions while values are added. Where the keys are split, the subgroup that
// arrives last merges the parts (no second dispatch, no assumption of progress).
// With PROBE the same pass yields each row's entropy and its mass on the first key, the last 8 and the previous one.
#include "common/device.glsl"
#include "engine/attention.params.h"
#include "engine/state.params.h"

layout(push_constant, scalar) uniform Push { AttentionParams params; };

#include "engine/cache.glsl"
#include "engine/soft_cap.glsl"

layout(constant_id = 0) const uint HEAD_DIM = 64;
layout(constant_id = 1) const uint HEADS = 1;
layout(constant_id = 2) const uint QUERIES = 1;
layout(constant_id = 3) const bool PROBE = false;
layout(constant_id = 4) const bool SPLIT = false;
layout(constant_id = 5) const bool SOFT_CAP = false;
layout(constant_id = 6) const bool ALIBI = false;
layout(constant_id = 8) const bool SINKS = false;
// Less than HEAD_DIM where the rows of K end in their values (latent attention, arXiv:2405.04434); V is then K.
layout(constant_id = 9) const uint VALUE_DIM = 64;

const uint QUADS = HEAD_DIM / 4, VALUE_QUADS = VALUE_DIM / 4;
const uint ROWS = HEADS * QUERIES;
const uint LANES_PER_KEY = VALUE_QUADS < LANES ? VALUE_QUADS : LANES;  // while values are added
const uint KEYS_AT_ONCE = LANES / LANES_PER_KEY;
const uint QUADS_PER_LANE = (VALUE_QUADS + LANES - 1) / LANES;
const float kLowest = -3.0e38;

layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Shared { float at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) coherent buffer Counters { uint at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

#ifdef VARIANT_TEXEL
layout(set = 0, binding = 0) uniform samplerBuffer q_view;
layout(set = 0, binding = 1) uniform samplerBuffer k_view;
layout(set = 0, binding = 2) uniform samplerBuffer v_view;
#define LOAD_Q(i) texelFetch(q_view, int(i))
#define LOAD_K(i) texelFetch(k_view, int(i))
#define LOAD_V(i) texelFetch(v_view, int(i))
#else
#define LOAD_Q(i) Vec4s(params.q).at[i]
#define LOAD_K(i) loadCache(params.k, i)
#define LOAD_V(i) loadCache(params.v, i)
#endif

vec4 o[ROWS * QUADS_PER_LANE];
float top[ROWS];    // running maximum, the same in all lanes
float total[ROWS];  // running sum of exp(score - top), this lane's part
vec4 probe[ROWS];   // sums of p * score, p on first, local, previous key: this lane's part

uint dimensionQuad(uint i) { return lane() % LANES_PER_KEY + i * LANES; }

struct Unit {
  uint kv_head, head0, heads;  // heads: how many of HEADS exist
  uint token0;
  uint position;  // of token0
  uint first, last;  // keys of this split, half open
};

uint rowHead(Unit unit, uint row) { return unit.head0 + min(row % HEADS, unit.heads - 1); }
uint rowToken(Unit unit, uint row) { return min(unit.token0 + row / HEADS, params.tokens - 1); }

float scoreOf(float product, uint head, uint query, uint key) {
  float score = product * params.scale;
  if (SOFT_CAP) score = softCap(score, params.soft_cap);
  if (ALIBI) score -= Floats(params.head_terms).at[head] * float(query - key);
  return score;
}

void scoreBlock(Unit unit, uint block, out float p[ROWS]) {
  uint key = block + lane(), readable = min(key, unit.last - 1);
  uint key_quad = (unit.kv_head * params.context + readable) * QUADS;
  [[unroll]] for (uint r = 0; r < ROWS; ++r) p[r] = 0.0;
  for (uint quad = 0; quad < QUADS; ++quad) {
    vec4 k = LOAD_K(key_quad + quad);
    [[unroll]] for (uint r = 0; r < ROWS; ++r)
      p[r] += dot(k, LOAD_Q(rowToken(unit, r) * (params.q_stride / 4) + rowHead(unit, r) * QUADS + quad));
  }
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint position = unit.position + r / HEADS;
    bool visible = key < unit.last && key <= position && (params.window == 0 || key + params.window > position);
    float score = visible ? scoreOf(p[r], rowHead(unit, r), position, key) : kLowest;
    float highest = max(top[r], subgroupMax(score));
    float shrink = exp(top[r] - highest);
    p[r] = visible ? exp(score - highest) : 0.0;
    top[r] = highest;
    total[r] = total[r] * shrink + p[r];
    if (PROBE) {
      probe[r] = probe[r] * shrink;
      if (visible)
        probe[r] += p[r] * vec4(score, key == 0 ? 1.0 : 0.0, key + 8 > position ? 1.0 : 0.0, key + 1 == position ? 1.0 : 0.0);
    }
    [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i) o[r * QUADS_PER_LANE + i] *= shrink;
  }
}

void addValues(Unit unit, uint block, float p[ROWS]) {
  uint keys = min(LANES, unit.last - block), group = lane() / LANES_PER_KEY;
  for (uint k0 = 0; k0 < keys; k0 += KEYS_AT_ONCE) {
    uint key = k0 + group;
    bool mine = group < KEYS_AT_ONCE && key < keys;
    uint row = unit.kv_head * params.context + block + min(key, keys - 1);
    uint value_quad = row * QUADS + QUADS - VALUE_QUADS;
    [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i) {
      uint quad = dimensionQuad(i);
      vec4 v = LOAD_V(value_quad + min(quad, VALUE_QUADS - 1));
      [[unroll]] for (uint r = 0; r < ROWS; ++r) {
        float weight = KEYS_AT_ONCE == 1 ? subgroupBroadcast(p[r], k0) : subgroupShuffle(p[r], min(key, keys - 1));
        if (mine && quad < VALUE_QUADS) o[r * QUADS_PER_LANE + i] += weight * v;
      }
    }
  }
}

void writeRow(Unit unit, uint r, vec4 sum[QUADS_PER_LANE], float highest, float mass, vec4 seen) {
  uint head = unit.head0 + r % HEADS, token = unit.token0 + r / HEADS;
  if (r % HEADS >= unit.heads || token >= params.tokens) return;
  [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i)
    if (lane() < LANES_PER_KEY && dimensionQuad(i) < VALUE_QUADS)
      Vec4s(params.o).at[token * (params.o_stride / 4) + head * VALUE_QUADS + dimensionQuad(i)] = sum[i] / mass;
  if (lane() == 0) {
    float lse = highest + log(mass);
    uint index = head * params.context + unit.position + r / HEADS;
    Floats(params.lse).at[index] = lse;
    if (PROBE) {
      float entropy = max(0.0, lse - seen.x / mass) * 1.4426950408889634;
      UVec2s(params.summary).at[index] = uvec2(packHalf2x16(vec2(entropy, seen.y / mass)), packHalf2x16(seen.zw / mass));
    }
  }
}

// Each split leaves (o, top, total, probe); the last one to arrive adds them up.
void mergeSplits(Unit unit, uint unit_index, uint split) {
  const uint kRecord = VALUE_DIM + 8;
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint record = ((unit_index * ROWS + r) * params.splits + split) * kRecord;
    [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i)
      if (lane() < LANES_PER_KEY && dimensionQuad(i) < VALUE_QUADS)
        [[unroll]] for (uint c = 0; c < 4; ++c)
          Shared(params.partial).at[record + dimensionQuad(i) * 4 + c] = o[r * QUADS_PER_LANE + i][c];
    if (lane() == 0) {
      Shared(params.partial).at[record + VALUE_DIM] = top[r];
      Shared(params.partial).at[record + VALUE_DIM + 1] = total[r];
      [[unroll]] for (uint c = 0; c < 4; ++c) Shared(params.partial).at[record + VALUE_DIM + 2 + c] = probe[r][c];
    }
  }
  memoryBarrierBuffer();
  subgroupBarrier();
  uint before = 0;
  if (lane() == 0) before = atomicAdd(Counters(params.arrived).at[unit_index], 1);
  if (subgroupBroadcastFirst(before) + 1 < params.splits) return;
  memoryBarrierBuffer();
  if (lane() == 0) Counters(params.arrived).at[unit_index] = 0;
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint record0 = (unit_index * ROWS + r) * params.splits * kRecord;
    float highest = kLowest, mass = 0.0;
    for (uint s = 0; s < params.splits; ++s) highest = max(highest, Shared(params.partial).at[record0 + s * kRecord + VALUE_DIM]);
    vec4 sum[QUADS_PER_LANE], seen = vec4(0);
    [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i) sum[i] = vec4(0);
    for (uint s = 0; s < params.splits; ++s) {
      uint record = record0 + s * kRecord;
      float weight = exp(Shared(params.partial).at[record + VALUE_DIM] - highest);
      mass += weight * Shared(params.partial).at[record + VALUE_DIM + 1];
      [[unroll]] for (uint c = 0; c < 4; ++c) seen[c] += weight * Shared(params.partial).at[record + VALUE_DIM + 2 + c];
      [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i)
        [[unroll]] for (uint c = 0; c < 4; ++c)
          sum[i][c] += weight * Shared(params.partial).at[record + min(dimensionQuad(i), VALUE_QUADS - 1) * 4 + c];
    }
    writeRow(unit, r, sum, highest, mass, seen);
  }
}

void main() {
  // x: units of heads, y: units of tokens, z: splits
  uint group = params.heads / params.kv_heads, units_per_kv = (group + HEADS - 1) / HEADS;
  uint head_unit = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (head_unit >= params.kv_heads * units_per_kv) return;
  Unit unit;
  unit.kv_head = head_unit / units_per_kv;
  unit.head0 = unit.kv_head * group + head_unit % units_per_kv * HEADS;
  unit.heads = min(HEADS, (unit.kv_head + 1) * group - unit.head0);
  unit.token0 = gl_WorkGroupID.y * QUERIES;
  uint base = StepStateRef(params.state).it.position;
  unit.position = base + unit.token0;
  uint newest = base + min(unit.token0 + QUERIES, params.tokens);  // one past the last visible key
  uint oldest = params.window != 0 && unit.position + 1 > params.window ? unit.position + 1 - params.window : 0;
  oldest = oldest / LANES * LANES;
  unit.first = oldest;
  unit.last = newest;
  if (SPLIT) {
    uint blocks = (newest - oldest + LANES - 1) / LANES, share = (blocks + params.splits - 1) / params.splits;
    unit.first = oldest + min(blocks, gl_WorkGroupID.z * share) * LANES;
    unit.last = min(newest, unit.first + share * LANES);
  }

  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    top[r] = kLowest;
    total[r] = 0.0;
    probe[r] = vec4(0);
    [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i) o[r * QUADS_PER_LANE + i] = vec4(0);
    // A sink is one more outcome of the softmax, without a value; the first split counts it.
    if (SINKS && gl_WorkGroupID.z == 0) {
      top[r] = Floats(params.head_terms).at[params.heads + rowHead(unit, r)];
      if (lane() == 0) {
        total[r] = 1.0;
        probe[r].x = top[r];
      }
    }
  }
  for (uint block = unit.first; block < unit.last; block += LANES) {
    float p[ROWS];
    scoreBlock(unit, block, p);
    addValues(unit, block, p);
  }
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    total[r] = subgroupAdd(total[r]);
    if (PROBE) probe[r] = subgroupAdd(probe[r]);
    if (KEYS_AT_ONCE > 1)
      // dimensions of later groups lie LANES_PER_KEY lanes further on
      [[unroll]] for (uint g = 1; g < KEYS_AT_ONCE; ++g) {
        vec4 other = subgroupShuffle(o[r], min(lane() + g * LANES_PER_KEY, LANES - 1));
        if (lane() < LANES_PER_KEY) o[r] += other;
      }
  }
  if (SPLIT) {
    mergeSplits(unit, head_unit + gl_WorkGroupID.y * params.kv_heads * units_per_kv, gl_WorkGroupID.z);
  } else {
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      vec4 sum[QUADS_PER_LANE];
      [[unroll]] for (uint i = 0; i < QUADS_PER_LANE; ++i) sum[i] = o[r * QUADS_PER_LANE + i];
      writeRow(unit, r, sum, top[r], total[r], probe[r]);
    }
  }
}
