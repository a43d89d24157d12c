# The pinned dependencies. Nothing is downloaded here: scripts/deps fills ${YARROW_DEPS_DIR} first.
set(arrow_dir ${YARROW_DEPS_DIR}/arrow)
if(NOT EXISTS ${arrow_dir}/include/arrow/api.h)
  message(FATAL_ERROR "Arrow is not in ${arrow_dir}: run scripts/deps first")
endif()

# Declares Arrow::<name> for a shared library of the unpacked Arrow distribution, which has no CMake files of its own.
function(yarrow_import_arrow name file)
  add_library(Arrow::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(Arrow::${name} PROPERTIES
    IMPORTED_LOCATION ${arrow_dir}/lib/${file}
    INTERFACE_INCLUDE_DIRECTORIES ${arrow_dir}/include)
  if(ARGN)
    set_property(TARGET Arrow::${name} PROPERTY INTERFACE_LINK_LIBRARIES ${ARGN})
  endif()
endfunction()

yarrow_import_arrow(arrow libarrow.so.2600)
yarrow_import_arrow(compute libarrow_compute.so.2600 Arrow::arrow)
yarrow_import_arrow(parquet libparquet.so.2600 Arrow::arrow)

set(duckdb_dir ${YARROW_DEPS_DIR}/duckdb)
if(NOT EXISTS ${duckdb_dir}/include/duckdb.hpp)
  message(FATAL_ERROR "DuckDB is not in ${duckdb_dir}: run scripts/deps first")
endif()
add_library(DuckDB::duckdb SHARED IMPORTED GLOBAL)
set_target_properties(DuckDB::duckdb PROPERTIES
  IMPORTED_LOCATION ${duckdb_dir}/lib/libduckdb.so
  INTERFACE_INCLUDE_DIRECTORIES ${duckdb_dir}/include)

find_package(Threads REQUIRED)
find_package(RocksDB 7.8 CONFIG REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(roaring CONFIG REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)

find_path(LIBEDIT_INCLUDE histedit.h REQUIRED)
find_library(LIBEDIT_LIBRARY edit REQUIRED)
add_library(Libedit::libedit UNKNOWN IMPORTED GLOBAL)
set_target_properties(Libedit::libedit PROPERTIES
  IMPORTED_LOCATION ${LIBEDIT_LIBRARY}
  INTERFACE_INCLUDE_DIRECTORIES ${LIBEDIT_INCLUDE})
