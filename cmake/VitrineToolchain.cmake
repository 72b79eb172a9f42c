# Compiler flags, ccache, and what scripts/toolchain put into .deps (newer glslc and Vulkan headers, VMA).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(vitrine_warnings INTERFACE)
target_compile_options(vitrine_warnings INTERFACE -Wall -Wextra -Wpedantic -Werror)

if(VITRINE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

set(VITRINE_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "Where scripts/toolchain unpacked its packages")
if(NOT EXISTS ${VITRINE_DEPS}/root/usr/include/vk_mem_alloc.h)
  message(FATAL_ERROR "Vulkan Memory Allocator not found in ${VITRINE_DEPS}: run scripts/toolchain first.")
endif()

find_library(VULKAN_LIBRARY vulkan REQUIRED)
add_library(vitrine_vulkan INTERFACE)
target_include_directories(vitrine_vulkan SYSTEM INTERFACE ${VITRINE_DEPS}/root/usr/include)
target_link_libraries(vitrine_vulkan INTERFACE ${VULKAN_LIBRARY})

if(EXISTS ${VITRINE_DEPS}/glslc)
  set(VITRINE_GLSLC ${VITRINE_DEPS}/glslc)
else()
  find_program(VITRINE_GLSLC glslc REQUIRED)
endif()
