#version 460
// sums[i] = the sum of texel i's components plus the i-th number of a storage buffer.
layout(local_size_x = 32) in;
layout(binding = 3) uniform usamplerBuffer texels;
layout(binding = 5, std430) readonly buffer Addends { uint addends[]; };
layout(binding = 7, std430) writeonly buffer Sums { uint sums[]; };

void main() {
  const uint i = gl_GlobalInvocationID.x;
  if (i >= textureSize(texels)) return;
  const uvec4 texel = texelFetch(texels, int(i));
  sums[i] = texel.x + texel.y + texel.z + texel.w + addends[i];
}
