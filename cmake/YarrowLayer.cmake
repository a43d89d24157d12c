# One static library a layer (src/<layer>), which sees only its own headers and those of the layers that
# src/layers.txt lets it include: each target gets an include folder of links to just those.

set(YARROW_LAYER_TABLE ${PROJECT_SOURCE_DIR}/src/layers.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${YARROW_LAYER_TABLE})

# Reads the row of `layer` into <out>_DEPS and <out>_HEADERS.
function(yarrow_read_layer layer out)
  file(STRINGS ${YARROW_LAYER_TABLE} rows REGEX "^${layer} +\\|")
  if(NOT rows)
    message(FATAL_ERROR "src/layers.txt has no row for the layer '${layer}'")
  endif()
  string(REPLACE "|" ";" cells "${rows}")
  list(GET cells 1 deps)
  list(GET cells 2 headers)
  separate_arguments(deps UNIX_COMMAND "${deps}")
  separate_arguments(headers UNIX_COMMAND "${headers}")
  set(${out}_DEPS "${deps}" PARENT_SCOPE)
  set(${out}_HEADERS "${headers}" PARENT_SCOPE)
endfunction()

# Sets <out> to `layer` and all layers below it.
function(yarrow_layers_below layer out)
  set(found ${layer})
  yarrow_read_layer(${layer} OWN)
  foreach(used ${OWN_DEPS})
    yarrow_layers_below(${used} below)
    list(APPEND found ${below})
  endforeach()
  list(REMOVE_DUPLICATES found)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

# Fills build/<preset>/include/<layer> with links to the headers that `layer` may include. The public headers of all layers
# below are there too, since those it may include build on them; tests/check_includes.py refuses to name them.
function(yarrow_stage_headers layer out_dir out_deps)
  yarrow_read_layer(${layer} OWN)
  set(stage ${CMAKE_BINARY_DIR}/include/${layer})
  file(REMOVE_RECURSE ${stage})
  file(MAKE_DIRECTORY ${stage}/yarrow)
  foreach(seen ${layer} ${OWN_DEPS})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/src/${seen} ${stage}/${seen} SYMBOLIC)
  endforeach()
  yarrow_layers_below(${layer} below)
  foreach(owner ${below})
    yarrow_read_layer(${owner} SEEN)
    foreach(header ${SEEN_HEADERS})
      file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/yarrow/${header} ${stage}/yarrow/${header} SYMBOLIC)
    endforeach()
  endforeach()
  set(${out_dir} ${stage} PARENT_SCOPE)
  set(${out_deps} "${OWN_DEPS}" PARENT_SCOPE)
endfunction()

# Two thirds of the time to compile a source, and half of the rest for a test after less optimising, went to reading the same
# headers: they are precompiled once for the sources and once for the tests. Each file still names all it uses.
set(YARROW_COMMON_HEADERS
  <arrow/api.h> <arrow/compute/expression.h>
  <algorithm> <filesystem> <functional> <map> <memory> <optional> <random> <string> <thread> <vector>)
file(WRITE ${CMAKE_BINARY_DIR}/headers.cc "")
add_library(yarrow_headers OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/headers.cc)
target_link_libraries(yarrow_headers PRIVATE yarrow_warnings Arrow::arrow)
target_precompile_headers(yarrow_headers PRIVATE ${YARROW_COMMON_HEADERS})

if(YARROW_SANITIZE)
  set(YARROW_TEST_OPTIMIZATION -O0)
else()
  set(YARROW_TEST_OPTIMIZATION -O1)
endif()
file(WRITE ${CMAKE_BINARY_DIR}/test_headers.cc "int main() {}\n")
add_executable(yarrow_test_headers EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/test_headers.cc)
target_link_libraries(yarrow_test_headers PRIVATE yarrow_warnings Arrow::arrow GTest::gtest)
target_compile_options(yarrow_test_headers PRIVATE ${YARROW_TEST_OPTIMIZATION})
target_precompile_headers(yarrow_test_headers PRIVATE ${YARROW_COMMON_HEADERS} <gtest/gtest.h>)

# yarrow_layer(<name> SOURCES ... [TESTS ...] [SUPPORT ...] [LINK ...] [CONCURRENT <filter>] [OWN_HEADERS])
# TESTS make one program, yarrow_<name>_test, registered with ctest test by test; SUPPORT are sources of tests/support that
# it needs. OWN_HEADERS: both precompile headers of their own.
function(yarrow_layer name)
  cmake_parse_arguments(ARG "OWN_HEADERS" "CONCURRENT" "SOURCES;TESTS;SUPPORT;LINK" ${ARGN})
  yarrow_refuse_unparsed("yarrow_layer(${name})" "${ARG_UNPARSED_ARGUMENTS}")
  yarrow_stage_headers(${name} stage deps)
  add_library(yarrow_${name} STATIC ${ARG_SOURCES})
  add_library(yarrow::${name} ALIAS yarrow_${name})
  if(YARROW_UNITY)
    yarrow_compile_product_together(yarrow_${name})
  endif()
  target_include_directories(yarrow_${name} PRIVATE ${stage})
  target_link_libraries(yarrow_${name} PRIVATE yarrow_warnings PUBLIC Arrow::arrow ${ARG_LINK})
  foreach(dep ${deps})
    target_link_libraries(yarrow_${name} PUBLIC yarrow_${dep})
  endforeach()
  set(own_headers "")
  if(ARG_OWN_HEADERS)
    set(own_headers OWN_HEADERS)
  else()
    target_precompile_headers(yarrow_${name} REUSE_FROM yarrow_headers)
  endif()
  if(ARG_TESTS)
    list(TRANSFORM ARG_SUPPORT PREPEND ${PROJECT_SOURCE_DIR}/tests/support/)
    yarrow_test(yarrow_${name}_test LAYER ${name} SOURCES ${ARG_TESTS} ${ARG_SUPPORT} CONCURRENT ${ARG_CONCURRENT}
      ${own_headers})
  endif()
endfunction()

# Compiles several sources of the target as one, which takes less than half of the time.
function(yarrow_compile_together target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 24)
  # GCC warns of members whose type is in an anonymous namespace, unless it stands in the main file, as it does here else.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

# The same for a target of the product. At -O3 GCC takes what it has inlined from several files for wrong uses of memory;
# where files are compiled one by one, and with the sanitizers, these warnings are errors, too.
function(yarrow_compile_product_together target)
  yarrow_compile_together(${target})
  if(NOT YARROW_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(${target} PRIVATE -Wno-error=free-nonheap-object -Wno-error=maybe-uninitialized
      -Wno-error=use-after-free -Wno-error=dangling-pointer -Wno-error=nonnull -Wno-error=mismatched-new-delete
      -Wno-error=stringop-truncation -Wno-error=null-dereference -Wno-error=alloc-size-larger-than=)
  endif()
endfunction()

# yarrow_test(<target> LAYER <layer> SOURCES ... [CONCURRENT <filter>]): a GoogleTest program that sees what
# its layer sees. CONCURRENT is a GoogleTest filter (Commit*:*Parallel*): the tests it names use several threads, bear
# the label <layer>-concurrent, and are what runs under ThreadSanitizer (target yarrow_concurrent_tests builds them).
# OWN_HEADERS: it precompiles headers of its own.
function(yarrow_test target)
  cmake_parse_arguments(ARG "OWN_HEADERS" "LAYER;CONCURRENT" "SOURCES" ${ARGN})
  yarrow_refuse_unparsed("yarrow_test(${target})" "${ARG_UNPARSED_ARGUMENTS}")
  if(YARROW_SANITIZE STREQUAL thread)  # it runs no others
    if(NOT ARG_CONCURRENT)
      return()
    endif()
    yarrow_keep_matching_tests(ARG_SOURCES "${ARG_CONCURRENT}")
  endif()
  add_executable(${target} ${ARG_SOURCES})
  yarrow_compile_together(${target})
  # They replace operator new, which the compiler must not see together with calls of it.
  foreach(source ${ARG_SOURCES})
    if(source MATCHES "(allocation_count|failing_new)[.]cc$")
      set_source_files_properties(${source} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
    if(source MATCHES "failing_new[.]cc$")  # it fails for the program's own code alone
      target_link_options(${target} PRIVATE LINKER:--version-script=${PROJECT_SOURCE_DIR}/tests/support/failing_new.map)
    endif()
  endforeach()
  target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/include/${ARG_LAYER} ${PROJECT_SOURCE_DIR}/tests/support)
  target_link_libraries(${target} PRIVATE yarrow_warnings yarrow_${ARG_LAYER} GTest::gtest GTest::gtest_main)
  target_compile_options(${target} PRIVATE ${YARROW_TEST_OPTIMIZATION})
  if(NOT ARG_OWN_HEADERS)
    target_precompile_headers(${target} REUSE_FROM yarrow_test_headers)
  endif()
  if(ARG_CONCURRENT)
    yarrow_discover_tests(${target} "${ARG_CONCURRENT}" ${ARG_LAYER}-concurrent)
    yarrow_discover_tests(${target} "-${ARG_CONCURRENT}" ${ARG_LAYER})
    add_dependencies(yarrow_concurrent_tests ${target})
  else()
    yarrow_discover_tests(${target} "*" ${ARG_LAYER})
  endif()
endfunction()

add_custom_target(yarrow_concurrent_tests)

# Takes those files out of the list `sources` that have tests, but none that the GoogleTest filter names.
function(yarrow_keep_matching_tests sources filter)
  string(REPLACE "." "[.]" names "${filter}")
  string(REPLACE "*" ".*" names "${names}")
  string(REPLACE ":" "|" names "${names}")
  set(kept)
  foreach(source ${${sources}})
    file(STRINGS ${source} tests REGEX "^(TEST|TEST_F|TEST_P)[(]")
    list(TRANSFORM tests REPLACE "^[A-Z_]+[(]([A-Za-z0-9_]+), *([A-Za-z0-9_]+).*" "\\1.\\2")
    set(all ${tests})
    list(FILTER tests INCLUDE REGEX "^(${names})$")
    if(tests OR NOT all)
      list(APPEND kept ${source})
    endif()
    if(all)  # they may change
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source})
    endif()
  endforeach()
  set(${sources} ${kept} PARENT_SCOPE)
endfunction()

function(yarrow_discover_tests target filter label)
  gtest_discover_tests(${target} TEST_FILTER "${filter}" DISCOVERY_TIMEOUT 60 PROPERTIES
    LABELS ${label} ENVIRONMENT TSAN_OPTIONS=suppressions=${PROJECT_SOURCE_DIR}/tests/tsan.supp)
endfunction()

function(yarrow_refuse_unparsed where arguments)
  if(arguments)
    message(FATAL_ERROR "${where}: unknown arguments ${arguments}")
  endif()
endfunction()
