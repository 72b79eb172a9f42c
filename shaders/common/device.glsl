// What every kernel starts with: extensions, typed buffer references and the lane layout.
// A workgroup is one or more whole subgroups side by side; LANES is the device's subgroup size.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference2 : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_shader_subgroup_arithmetic : require
#extension GL_KHR_shader_subgroup_ballot : require
#extension GL_KHR_shader_subgroup_shuffle : require

#include "common/shared.h"

// Constants 100 and up are common to all kernels.
layout(constant_id = 100) const uint LANES = 32;
layout(local_size_x_id = 101) in;

layout(buffer_reference, scalar, buffer_reference_align = 16) buffer Vec4s { vec4 at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 16) buffer UVec4s { uvec4 at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer Vec2s { vec2 at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 8) buffer UVec2s { uvec2 at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Floats { float at[]; };
layout(buffer_reference, scalar, buffer_reference_align = 4) buffer Uints { uint at[]; };

uint lane() { return gl_SubgroupInvocationID; }
