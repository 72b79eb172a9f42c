#version 460
// out_values[i] = scales[i] * count + offset, and out_values[3] = a number through shared memory of kShared words.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "test/layout.params.h"
layout(constant_id = 7) const uint kShared = 16;
layout(local_size_x = 4, local_size_y_id = 3) in;
layout(buffer_reference, scalar, buffer_reference_align = 4) writeonly buffer Floats { float at[]; };
layout(push_constant, scalar) uniform Push { LayoutParams p; };
shared uint words[kShared];

void main() {
  const uint i = gl_LocalInvocationIndex;
  if (i < kShared) words[i] = i + 42;
  barrier();
  if (i < 3) Floats(p.out_values).at[i] = p.scales[i] * float(p.count) + float(p.offset);
  if (i == 3) Floats(p.out_values).at[3] = float(words[kShared - 1]);
}
