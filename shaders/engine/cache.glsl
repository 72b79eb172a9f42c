// Reads of the KV cache (and of stored queries, which have its type) as vec4s of four consecutive dimensions.
// Needs K_BINDING-style declarations only in the texel form.
layout(constant_id = 7) const bool CACHE_F16 = true;

vec4 loadCache(device_address cache, uint quad) {
  if (CACHE_F16) {
    uvec2 bits = UVec2s(cache).at[quad];
    return vec4(unpackHalf2x16(bits.x), unpackHalf2x16(bits.y));
  }
  return Vec4s(cache).at[quad];
}
