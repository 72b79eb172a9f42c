// Rotates a pair of q or k and puts it where attention reads it. Needs CACHE_F16.
#include "engine/matmul.params.h"
#include "engine/state.params.h"

layout(buffer_reference, scalar, buffer_reference_align = 8) buffer QkvTargetRef { QkvTarget it; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer StepStateRef { StepState it; };

void storeCachePair(device_address cache, uint index, vec2 pair) {  // index: of the first element, even
  if (CACHE_F16)
    Uints(cache).at[index >> 1] = packHalf2x16(pair);
  else
    Vec2s(cache).at[index >> 1] = pair;
}

// q and k turn (adjacent dimensions), k and v go to the cache, q to its buffer and, where asked for, to the store.
void emitQkv(QkvTarget target, uint row, uint token, vec2 pair) {
  uint position = StepStateRef(target.state).it.position + token;
  bool is_value = row >= target.q_rows + target.k_rows, is_query = row < target.q_rows;
  uint local = is_query ? row : (is_value ? row - target.q_rows - target.k_rows : row - target.q_rows);
  uint head = local / target.head_dim, dim = local % target.head_dim;
  if (!is_value && dim < target.rotary_dim) {
    vec2 turn = Vec2s(target.rope).at[position * (target.rotary_dim / 2) + dim / 2];
    pair = vec2(pair.x * turn.x - pair.y * turn.y, pair.y * turn.x + pair.x * turn.y);
  }
  if (is_query) {
    Vec2s(target.q).at[(token * target.q_stride + local) >> 1] = pair;
    if (target.q_store != 0 && position % target.q_store_step == 0) {
      uint stored = position / target.q_store_step;
      if (stored < target.q_store_rows)
        storeCachePair(target.q_store, (head * target.q_store_rows + stored) * target.head_dim + dim, pair);
    }
  } else {
    storeCachePair(is_value ? target.v_cache : target.k_cache, (head * target.context + position) * target.head_dim + dim, pair);
  }
}
