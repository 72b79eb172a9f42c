// Probabilities to colours: range, linear or log scale, colour map; masked cells apart. The picture holds
// probabilities, so dragging the range or choosing another colour map computes nothing anew.
#version 460
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_scalar_block_layout : require
#extension GL_EXT_shader_explicit_arithmetic_types_int64 : require
#include "ui/draw.params.h"

layout(set = 0, binding = 0) uniform sampler2D picture;  // R32F, nearest
layout(set = 0, binding = 1) uniform sampler2D lut;      // 256 x maps
layout(push_constant, scalar) uniform Push { DrawParams params; };
layout(location = 0) in vec2 uv;
layout(location = 1) in vec4 colour;
layout(location = 0) out vec4 shown;

void main() {
  float probability = texture(picture, uv).r;
  vec4 cell;
  if (isnan(probability)) {
    cell = unpackUnorm4x8(params.invalid);
  } else if (probability < 0) {
    cell = unpackUnorm4x8(params.masked);
  } else {
    // log2(0) would be -inf, which the clamp takes to the low end on some devices and to NaN on others.
    float value = params.log_scale != 0 ? log2(max(probability, 1e-37)) : probability;
    float position = clamp((value - params.low) / max(params.high - params.low, 1e-30), 0.0, 1.0);
    cell = texelFetch(lut, ivec2(min(int(position * 256.0), 255), params.lut_row), 0);
  }
  shown = cell * colour;
}
