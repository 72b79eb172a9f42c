// The list of architectures. Each file core/arch/STEM.cpp defines `const Architecture kArchitecture` in a
// namespace arch::STEM of its own; CMake writes the list from the files' names (cmake/VitrineLists.cmake), so
// that a new architecture is one new file.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "core/arch/support/hparams.h"
#include "core/arch/support/weights.h"
#include "core/model/model_spec.h"
#include "gpu/error.h"

namespace vitrine::core::arch {

// What an architecture reads from.
struct Source {
  const Hparams& hparams;
  Weights& weights;
};

struct Architecture {
  std::array<std::string_view, 4> model_types;  // model_type of config.json; unused places are empty
  std::array<std::string_view, 4> gguf_names;   // general.architecture
  Result<ModelSpec> (*read)(const Source& source);
  // Whether the tensors of a safetensors file without a config.json are of this family; null where none is
  // known to come like that.
  bool (*recognizes)(const Weights& weights) = nullptr;
};

std::span<const Architecture* const> architectures();

}  // namespace vitrine::core::arch
