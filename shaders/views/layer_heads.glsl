// The rows of a layer's heads. Needs views/attention_overview.params.h and views/head.glsl before it.
const uint ELEMENT_BYTES = CACHE_F16 ? 2 : 4;
const uint TERM_FLOATS = 3;

HeadRows rowsOfHead(AttentionOverviewParams layer, uint h) {
  HeadRows head = layer.head;
  uint kv_head = h / layer.group, query_head = IMPLIED ? kv_head : h;
  head.q += uint64_t(query_head) * layer.q_head_bytes;
  head.k += uint64_t(kv_head) * layer.k_head_bytes;
  head.lse += uint64_t(h) * layer.lse_head_floats * 4;
  if (IMPLIED) head.terms += uint64_t(h) * layer.lse_head_floats * TERM_FLOATS * 4;
  if (layer.slopes != 0) head.slope = Floats(layer.slopes).at[h];
  head.q_quad += query_head * (layer.q_head_bytes / (4 * ELEMENT_BYTES));
  head.k_quad += kv_head * (layer.k_head_bytes / (4 * ELEMENT_BYTES));
  return head;
}
