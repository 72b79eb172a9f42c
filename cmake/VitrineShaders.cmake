# Every shaders/<domain>/<name>.comp (.vert, .frag) becomes SPIR-V embedded in one static library.
# A shader that exists in several forms says so in one line:
#   // variants: address texel
# and is compiled once a form with -DVARIANT_<NAME>=1; without the line there is one form with an empty name.
# A form named coopmat* needs a glslc that knows GL_KHR_cooperative_matrix and is left out (with a notice) otherwise.
# gpu/shader_binary.h declares the table that results.

set(probe_file ${CMAKE_BINARY_DIR}/coopmat_probe.comp)
file(WRITE ${probe_file} "#version 460\n#extension GL_KHR_cooperative_matrix : require\nlayout(local_size_x=32) in;void main(){}\n")
execute_process(COMMAND ${VITRINE_GLSLC} --target-env=vulkan1.3 ${probe_file} -o ${CMAKE_BINARY_DIR}/coopmat_probe.spv
                RESULT_VARIABLE coopmat_missing OUTPUT_QUIET ERROR_QUIET)
if(coopmat_missing)
  message(STATUS "glslc has no GL_KHR_cooperative_matrix: the coopmat kernel variants are left out")
endif()

function(vitrine_shaders target)
  file(GLOB_RECURSE shaders CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/shaders/*.comp ${CMAKE_SOURCE_DIR}/shaders/*.vert
       ${CMAKE_SOURCE_DIR}/shaders/*.frag)
  set(out ${CMAKE_BINARY_DIR}/shaders)
  set(rows "")
  set(arrays "")
  set(outputs "")
  foreach(source ${shaders})
    file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR}/shaders ${source})
    string(REGEX REPLACE "\\.comp$" "" name ${relative})
    file(STRINGS ${source} variant_line REGEX "^// variants: " LIMIT_COUNT 1)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    string(REPLACE "// variants: " "" variants "${variant_line}")
    separate_arguments(variants)
    if(NOT variants)
      set(variants "none")
    endif()
    foreach(variant ${variants})
      if(variant MATCHES "^coopmat" AND coopmat_missing)
        continue()
      endif()
      set(define "")
      set(label "")
      if(NOT variant STREQUAL "none")
        string(TOUPPER ${variant} upper)
        set(define -DVARIANT_${upper}=1)
        set(label ${variant})
      endif()
      string(MAKE_C_IDENTIFIER "${relative}_${label}" symbol)
      set(spv ${out}/${symbol}.inc)
      add_custom_command(
        OUTPUT ${spv}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${out}
        COMMAND ${VITRINE_GLSLC} --target-env=vulkan1.3 -O -mfmt=c ${define} -I ${CMAKE_SOURCE_DIR}/shaders -MD -MF ${spv}.d
                ${source} -o ${spv}
        DEPENDS ${source}
        DEPFILE ${spv}.d
        COMMENT "glslc ${relative} ${label}"
        VERBATIM)
      list(APPEND outputs ${spv})
      string(APPEND arrays "constexpr std::uint32_t k_${symbol}[] =\n#include \"${spv}\"\n;\n")
      string(APPEND rows "    {\"${name}\", \"${label}\", k_${symbol}},\n")
    endforeach()
  endforeach()
  if(NOT rows)
    string(APPEND rows "    {}\n")
  endif()
  file(CONFIGURE OUTPUT ${out}/shader_binary.cpp @ONLY CONTENT
"#include \"gpu/shader_binary.h\"
namespace vitrine::gpu {
namespace {
@arrays@
constexpr ShaderBinary kBinaries[] = {
@rows@};
}  // namespace
std::span<const ShaderBinary> shaderBinaries() { return kBinaries; }
}  // namespace vitrine::gpu
")
  add_library(${target} STATIC ${out}/shader_binary.cpp ${outputs})
  set_source_files_properties(${out}/shader_binary.cpp PROPERTIES OBJECT_DEPENDS "${outputs}")
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()
