# Writes the list of a family's methods from the names of core/methods/FAMILY/*.cpp: STEM.cpp defines methods::STEM::kMethod.
file(GLOB analysis_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/core/methods/analysis/*.cpp)
set(analysis_declarations "")
set(analysis_entries "")
foreach(file ${analysis_files})
  get_filename_component(stem ${file} NAME_WE)
  string(APPEND analysis_declarations "namespace ${stem} {\nextern const Analysis kMethod;\n}\n")
  string(APPEND analysis_entries "      &${stem}::kMethod,\n")
endforeach()

set(analysis_list ${CMAKE_BINARY_DIR}/generated/core/methods/analyses.cpp)
file(CONFIGURE OUTPUT ${analysis_list} @ONLY CONTENT [[
// Written by cmake/VitrineMethods.cmake.
#include "core/methods/analysis.h"

namespace vitrine::core::methods {

@analysis_declarations@
std::span<const Analysis* const> analyses() {
  static constexpr const Analysis* kList[] = {
@analysis_entries@  };
  return kList;
}

}  // namespace vitrine::core::methods
]])
target_sources(vitrine_core PRIVATE ${analysis_list})
