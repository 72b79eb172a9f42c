# Holds cmake/VitrineShaders.cmake to its word: the table has every shader and form, an edited header rebuilds what
# includes it, and a glslc without cooperative matrices leaves those forms out and says so.
#   cmake -DREPOSITORY=.. -DGLSLC=.. -DWORK=.. -P shaders.cmake
function(expect what text pattern)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "${what}: expected \"${pattern}\" in:\n${text}")
  endif()
endfunction()

function(must result)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "${ARGN} failed:\n${output}")
  endif()
  set(${result} "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(COPY ${REPOSITORY}/tests/cmake/shaders_project/ DESTINATION ${WORK}/source)
function(configure build glslc)
  must(text ${CMAKE_COMMAND} -S ${WORK}/source -B ${WORK}/${build} -G Ninja -DREPOSITORY=${REPOSITORY} -DVITRINE_GLSLC=${glslc})
  set(text "${text}" PARENT_SCOPE)
endfunction()

# a glslc that does not know the extension, as Debian 12's
file(WRITE ${WORK}/old_glslc "#!/bin/sh\nfor a; do case $a in *probe_GL_*) exit 1 ;; esac; done\nexec '${GLSLC}' \"$@\"\n")
file(CHMOD ${WORK}/old_glslc PERMISSIONS OWNER_READ OWNER_EXECUTE)
configure(old ${WORK}/old_glslc)
expect("an old glslc" "${text}" "left out: probe/forms\\[coopmat\\]")
must(text ${CMAKE_COMMAND} --build ${WORK}/old)
must(text ${WORK}/old/table)
expect("an old glslc" "${text}" "probe/forms \\[high\\]")
if(text MATCHES "coopmat")
  message(FATAL_ERROR "the coopmat form should be left out:\n${text}")
endif()

configure(build ${GLSLC})
must(text ${CMAKE_COMMAND} --build ${WORK}/build)
must(text ${WORK}/build/table)
expect("one form" "${text}" "probe/plain \\[\\] 07230203 0\n")
expect("a form" "${text}" "probe/forms \\[low\\] 07230203 0\n")
expect("its define" "${text}" "probe/forms \\[high\\] 07230203 1\n")
expect("a vertex shader" "${text}" "probe/triangle.vert \\[\\] 07230203 0\n")

# Nothing to do the second time; an edited header is noticed. Ninja compares times, so let the clock move.
must(text ${CMAKE_COMMAND} --build ${WORK}/build)
expect("a second build" "${text}" "no work to do")
execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 0.1)
file(WRITE ${WORK}/source/shaders/common/mark.h "#define MARK 0xabcdef01u\n")
must(text ${CMAKE_COMMAND} --build ${WORK}/build)
must(text ${WORK}/build/table)
expect("an edited header" "${text}" "probe/plain \\[\\] 07230203 1\n")

# A new line of variants and a new file need no edit of any CMakeLists.txt.
execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 0.1)
file(READ ${WORK}/source/shaders/probe/plain.comp plain)
file(WRITE ${WORK}/source/shaders/probe/plain.comp "// variants: one two\n${plain}")
file(COPY_FILE ${WORK}/source/shaders/probe/triangle.vert ${WORK}/source/shaders/probe/other.vert)
must(text ${CMAKE_COMMAND} --build ${WORK}/build)
must(text ${WORK}/build/table)
expect("a new form" "${text}" "probe/plain \\[two\\] 07230203 1\n")
expect("a new file" "${text}" "probe/other.vert \\[\\]")

# A broken shader fails the build and names its file.
file(WRITE ${WORK}/source/shaders/probe/other.vert "#version 460\nvoid main() { nonsense; }\n")
execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build RESULT_VARIABLE failed OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(NOT failed)
  message(FATAL_ERROR "a broken shader did not fail the build")
endif()
expect("a broken shader" "${text}" "probe/other.vert:2: error")
