#version 460
// Every pixel becomes `scale` times (x + 1000 y).
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require
#include "test/image_paint.params.h"
layout(local_size_x = 8, local_size_y = 8) in;
layout(binding = 0, r32f) writeonly uniform image2D picture;
layout(push_constant, scalar) uniform Push { ImagePaintParams p; };

void main() {
  const ivec2 at = ivec2(gl_GlobalInvocationID.xy);
  if (any(greaterThanEqual(at, imageSize(picture)))) return;
  imageStore(picture, at, vec4(p.scale * float(at.x + 1000 * at.y)));
}
