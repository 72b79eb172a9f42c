// p(q, k) of one head. Needs `head` (HeadRows) before it is included, and bindings 0, 1 in the texel form.
#include "engine/cache.glsl"
#include "engine/soft_cap.glsl"
#include "mixers/implied.glsl"

layout(constant_id = 0) const uint HEAD_DIM = 64;
layout(constant_id = 3) const bool IMPLIED = false;
const uint QUADS = HEAD_DIM / 4;

#ifdef VARIANT_TEXEL
layout(set = 0, binding = 0) uniform samplerBuffer q_view;
layout(set = 0, binding = 1) uniform samplerBuffer k_view;
#endif

// The first of `cells` cells that pixel `pixel` of `pixels` shows. Whole numbers (cells * pixels below 2^32): rounded
// fractions would leave the last cell out.
uint pixelStart(uint pixel, uint cells, uint pixels) { return pixel * cells / pixels; }

bool visible(HeadRows head, uint query, uint key) {
  return key <= query && (head.window == 0 || key + head.window > query);
}

// The stored query at or before `query`.
uint storedQuery(HeadRows head, uint query) { return query / head.q_step * head.q_step; }

float probability(HeadRows head, uint query, uint key) {
  float score = 0.0;
  uint row = query / head.q_step;
#ifdef VARIANT_TEXEL
  uint q = head.q_quad + row * QUADS, k = head.k_quad + key * QUADS;
  for (uint i = 0; i < QUADS; ++i) score += dot(texelFetch(q_view, int(q + i)), texelFetch(k_view, int(k + i)));
#else
  uint q = row * QUADS, k = key * QUADS;
  for (uint i = 0; i < QUADS; ++i) score += dot(loadCache(head.q, q + i), loadCache(head.k, k + i));
#endif
  score *= head.scale;
  if (IMPLIED) {
    score = impliedScore(logProduct(score), loadTerms(head.terms, query), loadTerms(head.terms, key));
  } else {
    if (head.soft_cap > 0.0) score = softCap(score, head.soft_cap);
    score -= head.slope * float(query - key);
  }
  return exp(score - Floats(head.lse).at[query]);
}
