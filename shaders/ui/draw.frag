// Everything but maps: a texture (glyphs, a white pixel) times the vertex colour.
#version 460

layout(set = 0, binding = 0) uniform sampler2D image;
layout(location = 0) in vec2 uv;
layout(location = 1) in vec4 colour;
layout(location = 0) out vec4 shown;

void main() { shown = colour * texture(image, uv); }
