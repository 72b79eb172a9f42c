// Included by GLSL and by C++: lets one parameter struct serve both. In C++ the structs live in
// vitrine::shader. Scalar block layout: members follow C++'s rules as long as 8-byte members stand on 8-byte
// offsets.
#ifndef VITRINE_SHADERS_COMMON_SHARED_H
#define VITRINE_SHADERS_COMMON_SHARED_H

#ifdef __cplusplus
#include <cstdint>
#define VITRINE_SHARED_BEGIN namespace vitrine::shader {
#define VITRINE_SHARED_END }
namespace vitrine::shader {
using uint = std::uint32_t;
using device_address = std::uint64_t;  // of a gpu::Buffer
}  // namespace vitrine::shader
#else
#define VITRINE_SHARED_BEGIN
#define VITRINE_SHARED_END
#define device_address uint64_t
#endif

#endif
