# vitrine_shaders(target folder): every <folder>/<domain>/<name>.comp (.vert, .frag) becomes SPIR-V embedded in the
# static library `target`; gpu/shader_binary.h declares the table that results. The .spv files stay in
# ${CMAKE_BINARY_DIR}/shaders.
# A shader that exists in several forms says so in one line:
#   // variants: address texel
# and is compiled once a form with -DVARIANT_<NAME>=1; without the line there is one form with an empty name.
# A form named coopmat needs a glslc that knows GL_KHR_cooperative_matrix, one named coopmat2 GL_NV_cooperative_matrix2
# (both may go on with _something); it is left out, with a notice, where glslc does not.

function(vitrine_glslc_knows extension result)
  set(probe ${CMAKE_BINARY_DIR}/shaders/probe_${extension})
  file(WRITE ${probe}.comp
       "#version 460\n#extension ${extension} : require\nlayout(local_size_x = 32) in;\nvoid main() {}\n")
  execute_process(COMMAND ${VITRINE_GLSLC} --target-env=vulkan1.3 ${probe}.comp -o ${probe}.spv
                  RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  file(REMOVE ${probe}.comp ${probe}.spv)
  if(failed)
    set(${result} OFF PARENT_SCOPE)
  else()
    set(${result} ON PARENT_SCOPE)
  endif()
endfunction()

function(vitrine_shaders target folder)
  vitrine_glslc_knows(GL_KHR_cooperative_matrix knows_coopmat)
  vitrine_glslc_knows(GL_NV_cooperative_matrix2 knows_coopmat2)
  cmake_path(GET CMAKE_CURRENT_FUNCTION_LIST_DIR PARENT_PATH repository)
  set(out ${CMAKE_BINARY_DIR}/shaders)
  set(embedded "")
  set(rows "")
  set(binaries "")
  set(left_out "")

  file(GLOB_RECURSE shaders CONFIGURE_DEPENDS ${folder}/*.comp ${folder}/*.vert ${folder}/*.frag)
  foreach(source ${shaders})
    file(RELATIVE_PATH relative ${folder} ${source})
    string(REGEX REPLACE "\\.comp$" "" name ${relative})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} variants REGEX "^// variants: " LIMIT_COUNT 1)
    string(REPLACE "// variants: " "" variants "${variants}")
    separate_arguments(variants)
    if(NOT variants)
      set(variants none)
    endif()
    foreach(variant ${variants})
      if((variant MATCHES "^coopmat(_|$)" AND NOT knows_coopmat) OR (variant MATCHES "^coopmat2(_|$)" AND NOT knows_coopmat2))
        list(APPEND left_out "${name}[${variant}]")
        continue()
      endif()
      set(define "")
      set(label "")
      set(optimize -O)
      if(NOT variant STREQUAL "none")
        string(TOUPPER ${variant} upper)
        set(define -DVARIANT_${upper}=1)
        set(label ${variant})
      endif()
      if(variant STREQUAL "pair")
        set(optimize -O0)  # spirv-opt copies what it inlines and unrolls without the NoContraction of `precise`
      endif()
      string(MAKE_C_IDENTIFIER "spv_${relative}_${label}" symbol)
      set(spv ${out}/${symbol}.spv)
      add_custom_command(
        OUTPUT ${spv}
        COMMAND ${VITRINE_GLSLC} --target-env=vulkan1.3 ${optimize} ${define} -I ${folder} -MD -MF ${spv}.d ${source} -o ${spv}
        DEPENDS ${source} ${VITRINE_GLSLC}
        DEPFILE ${spv}.d
        COMMENT "glslc ${relative} ${label}"
        VERBATIM)
      list(APPEND binaries ${spv})
      string(APPEND embedded "EMBED(${symbol}, \"${spv}\")\n")
      string(APPEND rows "      {\"${name}\", \"${label}\", {${symbol}, ${symbol}_end}},\n")
    endforeach()
  endforeach()
  if(left_out)
    list(JOIN left_out ", " left_out)
    message(STATUS "glslc is too old for cooperative matrices (run scripts/toolchain); left out: ${left_out}")
  endif()

  file(CONFIGURE OUTPUT ${out}/shader_binary.cpp @ONLY CONTENT
[[// Written by cmake/VitrineShaders.cmake. The assembler reads the files, which takes no time where a compiler takes seconds.
#include "gpu/shader_binary.h"

#include <vector>

#define EMBED(symbol, path)                                                                                   \
  extern "C" __attribute__((visibility("hidden"))) const std::uint32_t symbol[], symbol##_end[];              \
  asm(".pushsection .rodata\n.balign 4\n" #symbol ":\n.incbin \"" path "\"\n" #symbol "_end:\n.popsection");

@embedded@
namespace vitrine::gpu {
std::span<const ShaderBinary> shaderBinaries() {
  static const std::vector<ShaderBinary> binaries = {
@rows@  };
  return binaries;
}
}  // namespace vitrine::gpu
]])
  add_library(${target} STATIC ${out}/shader_binary.cpp)
  set_source_files_properties(${out}/shader_binary.cpp PROPERTIES OBJECT_DEPENDS "${binaries}")
  target_include_directories(${target} PUBLIC ${repository})
endfunction()
