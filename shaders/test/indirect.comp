#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "test/indirect.params.h"
layout(local_size_x = 1) in;
layout(buffer_reference, scalar, buffer_reference_align = 4) writeonly buffer Command { uvec3 groups; };
layout(push_constant, scalar) uniform Push { IndirectParams p; };

void main() { Command(p.command).groups = uvec3(p.groups, 1, 1); }
