# No tracked file names the host of a package registry: packages come from where the machine's own clients are set up to look.
#   cmake -DREPOSITORY=.. -DWORK=.. -P no_registry_hosts.cmake      WORK: a folder for the self-check
set(hosts "[a-z]+[.]debian[.](org|net)" "[a-z]+[.]ubuntu[.]com" "pypi([.]python)?[.]org" "pythonhosted[.]org"
    "download[.]pytorch[.]org" "anaconda[.]org" "npmjs[.](org|com)" "(static[.]|index[.])?crates[.]io"
    "proxy[.]golang[.]org" "rubygems[.]org" "repo[0-9]?[.]maven" "center[.]conan[.]io")
list(JOIN hosts "|" hosts)

function(search folder result)
  execute_process(COMMAND ${git} ${ARGN} grep -nIE "${hosts}" WORKING_DIRECTORY ${folder}
                  RESULT_VARIABLE status OUTPUT_VARIABLE found ERROR_VARIABLE problem)
  if(status GREATER 1)
    message(FATAL_ERROR "git grep failed: ${problem}")
  endif()
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

find_program(git git)
if(NOT git OR NOT EXISTS ${REPOSITORY}/.git)
  message("SKIPPED: not a git checkout, or no git")
  return()
endif()

# a file with one such name must be found
file(REMOVE_RECURSE ${WORK})
string(JOIN "." host "deb" "debian" "org")
file(WRITE ${WORK}/sources.list "deb http://${host}/debian stable main\n")
execute_process(COMMAND ${git} init -q WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${git} add sources.list WORKING_DIRECTORY ${WORK} COMMAND_ERROR_IS_FATAL ANY)
search(${WORK} found)
if(NOT found MATCHES "^sources.list:1:")
  message(FATAL_ERROR "self-check: a registry's name went unseen")
endif()
file(REMOVE_RECURSE ${WORK})

search(${REPOSITORY} found -c safe.directory=*)
if(found)
  message(FATAL_ERROR "Names of package registries in tracked files:\n${found}")
endif()
