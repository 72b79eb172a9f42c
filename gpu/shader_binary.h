// The SPIR-V that the build embedded (cmake/VitrineShaders.cmake).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine::gpu {

struct ShaderBinary {
  std::string_view name;     // "<domain>/<stem>" of a .comp; a .vert or .frag keeps its ending
  std::string_view variant;  // a word of the shader's "// variants:" line, or empty
  std::span<const std::uint32_t> words;
};

std::span<const ShaderBinary> shaderBinaries();

}  // namespace vitrine::gpu
