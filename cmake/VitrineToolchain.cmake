# Compiler flags, ccache, and what scripts/toolchain put into .deps (newer glslc and Vulkan headers, VMA).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# Paths are hashed relative to the checkout, so that all worktrees of a machine share what one has compiled.
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()

# -O2: -O3 takes longer to build and is no faster where the time goes, which is on the device.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")

# g++ collects garbage as soon as it holds 128 MB, and these files' templates are several times that, all of them alive: an
# eighth of its time. Where memory is for all that compile at once, it starts later.
cmake_host_system_information(RESULT memory QUERY TOTAL_PHYSICAL_MEMORY)
cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
math(EXPR memory_a_file "${memory} / (${cores} + 2)")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND memory_a_file GREATER 1500)
  add_compile_options(--param=ggc-min-heapsize=786432)
endif()

add_library(vitrine_warnings INTERFACE)
# g++ 12 reports overlaps inside std::string that cannot happen (-Wrestrict, gcc bug 105651), and Vulkan's structs, which
# are made as {.sType = X} with zeros for the rest, as forgotten members.
target_compile_options(vitrine_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror -Wno-restrict
                                                  -Wno-missing-field-initializers)

if(VITRINE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# Vulkan headers, VMA and glslc: .deps first, then $VULKAN_SDK, then the system. scripts/toolchain leaves out of .deps
# what it found at least as new in one of the others.
set(VITRINE_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "Where scripts/toolchain unpacked its packages")
set(vulkan_includes "")
foreach(folder ${VITRINE_DEPS}/root/usr/include $ENV{VULKAN_SDK}/include)
  if(EXISTS ${folder}/vulkan/vulkan_core.h OR EXISTS ${folder}/vk_mem_alloc.h)
    list(APPEND vulkan_includes ${folder})
  endif()
endforeach()
find_path(VITRINE_VMA vk_mem_alloc.h PATHS ${vulkan_includes} NO_CACHE)
if(NOT VITRINE_VMA)
  message(FATAL_ERROR "The Vulkan Memory Allocator (vk_mem_alloc.h) is not in ${VITRINE_DEPS}: run scripts/toolchain first.")
endif()

find_library(VULKAN_LIBRARY vulkan REQUIRED HINTS $ENV{VULKAN_SDK}/lib)
add_library(vitrine_vulkan INTERFACE)
target_include_directories(vitrine_vulkan SYSTEM INTERFACE ${vulkan_includes})
target_link_libraries(vitrine_vulkan INTERFACE ${VULKAN_LIBRARY})

if(EXISTS ${VITRINE_DEPS}/glslc)
  set(VITRINE_GLSLC ${VITRINE_DEPS}/glslc)
else()
  find_program(VITRINE_GLSLC glslc REQUIRED HINTS $ENV{VULKAN_SDK}/bin)
endif()
