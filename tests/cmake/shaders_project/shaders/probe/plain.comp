#version 460
#extension GL_GOOGLE_include_directive : require
#include "common/mark.h"
layout(local_size_x = 8) in;
layout(binding = 0) buffer Out { uint value; };
void main() { value = MARK; }
