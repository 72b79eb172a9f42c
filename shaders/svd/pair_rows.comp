#version 460
// variants: pair
// See pair_reduction.glsl. A subgroup takes ROWS rows below the column, two columns a lane at once; what lies beyond
// the matrix up to the stride is zero.
#include "common/device.glsl"
#include "svd/pair_reduction.glsl"

layout(constant_id = 0) const uint SUBGROUPS = 8;
layout(constant_id = 1) const uint ROWS = 4;
layout(constant_id = 2) const uint DEPTH = 1;  // places of each row whose numbers are loaded together

vec2 updated(vec2 a, vec2 row_v, vec2 row_w, vec2 v, vec2 w) { return sub(a, add(mul(row_v, w), mul(row_w, v))); }

void main() {
  uint below = params.column + 1, first = below + (gl_WorkGroupID.x * SUBGROUPS + gl_SubgroupID) * ROWS;
  if (first >= params.n) return;
  bool updates = params.column > 0;
  uint64_t v = vectorOf(params.column - 1), w = workRow(W), x = vectorOf(params.column);
  vec2 row_v[ROWS], row_w[ROWS], sum[ROWS];
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    uint row = min(first + r, params.n - 1);
    row_v[r] = updates ? Pairs(v).at[row] : vec2(0.0);
    row_w[r] = updates ? Pairs(w).at[row] : vec2(0.0);
    sum[r] = vec2(0.0);
  }
  uint places = params.stride / 2;
  for (uint place = below / 2 + lane(); place < places; place += DEPTH * LANES) {
    vec4 of_v[DEPTH], of_w[DEPTH], of_x[DEPTH], a[DEPTH][ROWS];
    [[unroll]] for (uint d = 0; d < DEPTH; ++d) {
      uint p = min(place + d * LANES, places - 1);
      of_x[d] = Vec4s(x).at[p];
      of_v[d] = updates ? Vec4s(v).at[p] : vec4(0.0);
      of_w[d] = updates ? Vec4s(w).at[p] : vec4(0.0);
      [[unroll]] for (uint r = 0; r < ROWS; ++r) a[d][r] = Vec4s(gramRow(min(first + r, params.n - 1))).at[p];
    }
    [[unroll]] for (uint d = 0; d < DEPTH; ++d) [[unroll]] for (uint r = 0; r < ROWS; ++r) {
      uint p = place + d * LANES;
      if (p < places && first + r < params.n) {
        vec4 element = a[d][r];
        if (updates) {
          element.xy = updated(element.xy, row_v[r], row_w[r], of_v[d].xy, of_w[d].xy);
          element.zw = updated(element.zw, row_v[r], row_w[r], of_v[d].zw, of_w[d].zw);
          Vec4s(gramRow(first + r)).at[p] = element;
        }
        sum[r] = add(sum[r], add(mul(element.xy, of_x[d].xy), mul(element.zw, of_x[d].zw)));
      }
    }
  }
  [[unroll]] for (uint r = 0; r < ROWS; ++r) {
    vec2 product = addLanes(sum[r]);
    if (lane() == 0 && first + r < params.n) Pairs(workRow(PRODUCTS)).at[first + r] = product;
  }
}
