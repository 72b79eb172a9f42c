// Corners of Dear ImGui's triangles, fetched by address so that any buffer will do.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "ui/draw.params.h"

layout(buffer_reference, scalar, buffer_reference_align = 4) readonly buffer Words { uint at[]; };
layout(push_constant, scalar) uniform Push { DrawParams params; };

layout(location = 0) out vec2 uv;
layout(location = 1) out vec4 colour;

void main() {
  uint pair = Words(params.indices).at[gl_VertexIndex >> 1];
  uint index = (gl_VertexIndex & 1) == 0 ? pair & 0xffffu : pair >> 16;
  uint word = (params.first_vertex + index) * 5;
  Words vertices = Words(params.vertices);
  vec2 position = uintBitsToFloat(uvec2(vertices.at[word], vertices.at[word + 1]));
  uv = uintBitsToFloat(uvec2(vertices.at[word + 2], vertices.at[word + 3]));
  colour = unpackUnorm4x8(vertices.at[word + 4]);
  gl_Position = vec4(position * vec2(params.scale_x, params.scale_y) +
                         vec2(params.translate_x, params.translate_y), 0, 1);
}
