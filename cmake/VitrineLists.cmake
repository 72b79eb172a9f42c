# Lists that are written from the names of files: FOLDER/STEM.cpp defines OBJECT, of type TYPE, in NAMESPACE::STEM, and
# HEADER declares `std::span<const TYPE* const> FUNCTION()` in NAMESPACE. A new entry is one new file.
function(vitrine_list folder)
  cmake_parse_arguments(list "" "NAMESPACE;TYPE;OBJECT;FUNCTION;HEADER" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  set(declarations "")
  set(entries "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    string(APPEND declarations "namespace ${stem} {\nextern const ${list_TYPE} ${list_OBJECT};\n}\n")
    string(APPEND entries "      &${stem}::${list_OBJECT},\n")
  endforeach()

  set(source ${CMAKE_BINARY_DIR}/generated/${folder}/list.cpp)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[
// Written by cmake/VitrineLists.cmake.
#include "@list_HEADER@"

namespace @list_NAMESPACE@ {

@declarations@
std::span<const @list_TYPE@* const> @list_FUNCTION@() {
  static constexpr const @list_TYPE@* kList[] = {
@entries@  };
  return kList;
}

}  // namespace @list_NAMESPACE@
]])
  target_sources(vitrine_core PRIVATE ${source})
endfunction()

vitrine_list(core/arch NAMESPACE vitrine::core::arch TYPE Architecture OBJECT kArchitecture FUNCTION architectures
             HEADER core/arch/architecture.h)
vitrine_list(core/methods/analysis NAMESPACE vitrine::core::methods TYPE Analysis OBJECT kMethod FUNCTION analyses
             HEADER core/methods/analysis.h)
