#version 460
// variants: address texel
// The sum of each new row of the map that a mixer implies, as attention's log-sum-exp, and its summary: entropy, mass
// on the first key, the last 8 and the previous one. A workgroup does HEADS heads of one group, which share q . k, for
// QUERIES tokens; its subgroups share the keys, the lanes lie along them.
#include "common/device.glsl"
#include "engine/state.params.h"
#include "mixers/implied.glsl"
#include "mixers/implied_mass.params.h"

layout(push_constant, scalar) uniform Push { ImpliedMassParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

layout(constant_id = 0) const uint WIDTH = 64;  // numbers of q and k that are multiplied
layout(constant_id = 1) const uint HEADS = 1;   // divides the heads of a group
layout(constant_id = 2) const uint QUERIES = 1;
layout(constant_id = 3) const uint SUBGROUPS = 1;
layout(constant_id = 4) const bool ALIGNED = false;  // q begins on a vec4, and so do its groups
const uint QUADS = (WIDTH + 3) / 4;
const uint ROWS = HEADS * QUERIES;
const uint PART = 6;  // floats of a row's part: top, total, four sums
const float kLowest = -3.0e38;

#ifdef VARIANT_TEXEL
layout(set = 0, binding = 0) uniform samplerBuffer k_view;
layout(set = 0, binding = 1) uniform samplerBuffer q_view;
#define LOAD_K(i) texelFetch(k_view, int(i))
#define LOAD_Q(i) texelFetch(q_view, int(params.q_quad + (i)))
#else
#define LOAD_K(i) Vec4s(params.k).at[i]
#define LOAD_Q(i) Vec4s(params.q).at[i]
#endif

shared float parts[384];  // of 16 subgroups and 4 rows: of one token, where there are several

float top[ROWS];    // running maximum, this lane's
float total[ROWS];  // sum of exp(score - top)
vec4 sums[ROWS];    // of p * score, p on the first, local, previous key

vec4 loadQuery(uint at, uint quad) {
  if (ALIGNED) return LOAD_Q(at / 4 + quad);
  vec4 q = vec4(0);
  [[unroll]] for (uint c = 0; c < 4; ++c)
    if (quad * 4 + c < WIDTH) q[c] = Floats(params.q).at[at + quad * 4 + c];
  return q;
}

void addKey(uint r, uint position, uint key, float score) {
  // Of the exponentials of what is smaller and what is larger than the maximum one is 1.
  float less = exp(-abs(score - top[r]));
  bool higher = score > top[r];
  float shrink = higher ? less : 1.0, p = higher ? 1.0 : less;
  top[r] = max(top[r], score);
  total[r] = total[r] * shrink + p;
  sums[r] = sums[r] * shrink +
            p * vec4(score, key == 0 ? 1.0 : 0.0, key + 8 > position ? 1.0 : 0.0, key + 1 == position ? 1.0 : 0.0);
}

// Adds up what the lanes have found; one that has seen no key adds nothing.
void merge(uint r) {
  float highest = subgroupMax(top[r]), shrink = exp(top[r] - highest);
  total[r] = subgroupAdd(total[r] * shrink);
  sums[r] = subgroupAdd(sums[r] * shrink);
  top[r] = highest;
}

void write(uint head, uint position, uint r) {
  uint index = head * params.context + position;
  float lse = top[r] + log(total[r]);
  float entropy = max(0.0, lse - sums[r].x / total[r]) * 1.4426950408889634;
  vec3 mass = sums[r].yzw / total[r];
  Floats(params.lse).at[index] = lse;
  UVec2s(params.summary).at[index] = uvec2(packHalf2x16(vec2(entropy, mass.x)), packHalf2x16(mass.yz));
}

// What this lane's keys give to the rows.
void scan(uint group, uint head0, uint token0, uint base) {
  uint last = base + min(token0 + QUERIES, params.tokens);  // one past the last visible key
  Terms of_query[ROWS];
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint position = min(base + token0 + r % QUERIES, last - 1);
    of_query[r] = loadTerms(params.terms, (head0 + r / QUERIES) * params.context + position);
  }
  for (uint key = gl_SubgroupID * LANES + lane(); key < last; key += SUBGROUPS * LANES) {
    float products[QUERIES];
    [[unroll]] for (uint i = 0; i < QUERIES; ++i) products[i] = 0.0;
    uint key_quad = (group * params.context + key) * QUADS;
    for (uint quad = 0; quad < QUADS; ++quad) {
      vec4 k = LOAD_K(key_quad + quad);
      [[unroll]] for (uint i = 0; i < QUERIES; ++i)
        products[i] += dot(k, loadQuery(min(token0 + i, params.tokens - 1) * params.q_stride + group * params.q_group, quad));
    }
    [[unroll]] for (uint i = 0; i < QUERIES; ++i) products[i] = logProduct(params.scale * products[i]);
    [[unroll]] for (uint h = 0; h < HEADS; ++h) {
      Terms of_key = loadTerms(params.terms, (head0 + h) * params.context + key);
      [[unroll]] for (uint i = 0; i < QUERIES; ++i) {
        uint r = h * QUERIES + i, position = base + token0 + i;
        if (key <= position && position < last)
          addKey(r, position, key, impliedScore(products[i], of_query[r], of_key));
      }
    }
  }
}

// The subgroups' parts, in the first one.
void join() {
  if (lane() == 0)
    [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      uint at = (gl_SubgroupID * ROWS + r) * PART;
      parts[at] = top[r];
      parts[at + 1] = total[r];
      [[unroll]] for (uint c = 0; c < 4; ++c) parts[at + 2 + c] = sums[r][c];
    }
  barrier();
  if (gl_SubgroupID != 0) return;
  bool mine = lane() < SUBGROUPS;
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint at = (min(lane(), SUBGROUPS - 1) * ROWS + r) * PART;
    top[r] = mine ? parts[at] : kLowest;
    total[r] = mine ? parts[at + 1] : 0.0;
    sums[r] = mine ? vec4(parts[at + 2], parts[at + 3], parts[at + 4], parts[at + 5]) : vec4(0);
    merge(r);
  }
}

void main() {
  // x: HEADS heads each, y: QUERIES tokens each
  uint head0 = gl_WorkGroupID.x * HEADS, group = head0 / (params.heads / params.groups);
  uint token0 = gl_WorkGroupID.y * QUERIES, base = params.first;
  if (params.state != 0) base = StepStateRef(params.state).it.position;
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    top[r] = kLowest;
    total[r] = 0.0;
    sums[r] = vec4(0);
  }
  scan(group, head0, token0, base);
  [[unroll]] for (uint r = 0; r < ROWS; ++r) merge(r);
  if (SUBGROUPS > 1) join();
  if (gl_SubgroupID == 0 && lane() == 0)
    [[unroll]] for (uint r = 0; r < ROWS; ++r)
      if (token0 + r % QUERIES < params.tokens) write(head0 + r / QUERIES, base + token0 + r % QUERIES, r);
}
