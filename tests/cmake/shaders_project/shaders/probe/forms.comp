#version 460
// variants: low high coopmat
#ifdef VARIANT_COOPMAT
#extension GL_KHR_cooperative_matrix : require
#endif
layout(local_size_x = 8) in;
layout(binding = 0) buffer Out { uint value; };
#ifdef VARIANT_HIGH
void main() { value = 0xabcdef01u; }
#else
void main() { value = 1u; }
#endif
