// The interface of a compute shader, read from its SPIR-V. Private to gpu/.
// Only what Vitrine's shaders use: one entry point, one push-constant block, descriptors of set 0.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gpu/error.h"
#include "gpu/kernel.h"

namespace vitrine::gpu {

struct Reflection {
  std::vector<std::uint32_t> capabilities;
  std::array<std::uint32_t, 3> workgroup_size{1, 1, 1};  // after specialization
  std::uint32_t push_constant_bytes = 0;  // sizeof the C++ struct: padded to its strictest member
  std::uint32_t shared_bytes = 0;         // of workgroup variables, without the driver's padding
  std::vector<Binding> bindings;          // sorted by index
};

// kInvalidFile for words that are not SPIR-V or are cut off; kUnsupported for what lies outside the subset
// above.
Result<Reflection> reflect(std::span<const std::uint32_t> words, std::span<const Specialization> constants,
                           const std::string& name);

}  // namespace vitrine::gpu
