#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "test/increment.params.h"

layout(local_size_x_id = 0) in;
layout(constant_id = 1) const uint kFactor = 1;  // multiplies the step

layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Uints { uint at[]; };
layout(push_constant, scalar) uniform Push { IncrementParams p; };

void main() {
  const uint i = gl_GlobalInvocationID.x;
  if (i < p.count) Uints(p.values).at[i] += p.step * kFactor;
}
