#version 460
// values[i] = scale x the red channel of the i-th pixel, through a sampler.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require
#include "test/image_paint.params.h"
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0) uniform sampler2D picture;
layout(binding = 1, std430) writeonly buffer Values { float values[]; };
layout(push_constant, scalar) uniform Push { ImagePaintParams p; };

void main() {
  const ivec2 size = textureSize(picture, 0), at = ivec2(gl_GlobalInvocationID.xy);
  if (any(greaterThanEqual(at, size))) return;
  values[at.x + size.x * at.y] = p.scale * texture(picture, (vec2(at) + 0.5) / vec2(size)).r;
}
