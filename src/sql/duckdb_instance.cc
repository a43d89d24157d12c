#include "sql/duckdb_instance.h"

#include <cstdlib>

namespace yarrow::sql {

std::unique_ptr<duckdb::DuckDB> OpenDuckDb() {
  duckdb::DBConfig config;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  config.allocator = duckdb::make_uniq<duckdb::Allocator>(
      [](duckdb::PrivateAllocatorData*, duckdb::idx_t size) {
        return static_cast<duckdb::data_ptr_t>(std::malloc(size));
      },
      [](duckdb::PrivateAllocatorData*, duckdb::data_ptr_t pointer, duckdb::idx_t) { std::free(pointer); },
      [](duckdb::PrivateAllocatorData*, duckdb::data_ptr_t pointer, duckdb::idx_t, duckdb::idx_t size) {
        return static_cast<duckdb::data_ptr_t>(std::realloc(pointer, size));
      },
      nullptr);
#endif
  // A join hands the values of as many rows to the scan of the other table, which may look them up. DuckDB's own
  // default is 50; its own scans take no longer with more.
  config.SetOptionByName("dynamic_or_filter_threshold", duckdb::Value::UBIGINT(4096));
  return std::make_unique<duckdb::DuckDB>(nullptr, &config);
}

}  // namespace yarrow::sql
