# Writes the list of architectures from the names of core/arch/*.cpp: STEM.cpp defines arch::STEM::kArchitecture.
file(GLOB arch_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/core/arch/*.cpp)
set(arch_declarations "")
set(arch_entries "")
foreach(file ${arch_files})
  get_filename_component(stem ${file} NAME_WE)
  string(APPEND arch_declarations "namespace ${stem} {\nextern const Architecture kArchitecture;\n}\n")
  string(APPEND arch_entries "      &${stem}::kArchitecture,\n")
endforeach()

set(arch_list ${CMAKE_BINARY_DIR}/generated/core/arch/list.cpp)
file(CONFIGURE OUTPUT ${arch_list} @ONLY CONTENT [[
// Written by cmake/VitrineArch.cmake.
#include "core/arch/architecture.h"

namespace vitrine::core::arch {

@arch_declarations@
std::span<const Architecture* const> architectures() {
  static constexpr const Architecture* kList[] = {
@arch_entries@  };
  return kList;
}

}  // namespace vitrine::core::arch
]])
target_sources(vitrine_core PRIVATE ${arch_list})
