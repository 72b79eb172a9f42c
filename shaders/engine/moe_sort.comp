#version 460
// Sorts choices by expert, in a fixed order, and cuts each expert's into tiles, one subgroup an expert. Expert e,
// whose choices begin at `first`, owns the tile places from first / tile + e to the next expert's: always as many as
// it needs, at most one too many, and nobody has to know the other experts' counts.
#include "common/device.glsl"
#include "engine/moe_sort.params.h"

layout(push_constant, scalar) uniform Push { MoeSortParams params; };
layout(buffer_reference, scalar, buffer_reference_align = 4) writeonly buffer Tiles { MoeTile at[]; };

void main() {
  uint expert = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
  if (expert >= params.experts) return;
  uint before = 0;
  for (uint i = lane(); i < params.choices; i += LANES) before += Uints(params.chosen).at[i] < expert ? 1 : 0;
  uint first = subgroupAdd(before), next = first;
  for (uint base = 0; base < params.choices; base += LANES) {
    uint i = base + lane();
    bool mine = i < params.choices && Uints(params.chosen).at[i] == expert;
    uint rank = subgroupExclusiveAdd(mine ? 1u : 0u);
    if (mine) Uints(params.sorted).at[next + rank] = i;
    next += subgroupAdd(mine ? 1u : 0u);
  }
  uint place0 = first / params.tile + expert, places = next / params.tile + expert + 1 - place0;
  for (uint i = lane(); i < places; i += LANES) {
    uint begin = min(first + i * params.tile, next);
    Tiles(params.tiles).at[place0 + i] = MoeTile(expert, begin, min(params.tile, next - begin));
  }
}
