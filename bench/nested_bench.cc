// Columns of lists and of structs, a million rows, one thread: a query that reads all of one such column.
//
// Names: nested/<list|struct>/<how>. <how> is `hot`, `cold` (the rows in segments), `native` (a DuckDB table of the
// same rows, in a file), `parquet` (read_parquet over the segments) or `bare` (a bare iterator over the hot rows).
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "bench_table.h"
#include "sql_place.h"

namespace yarrow::bench {
namespace {

constexpr const char* kRows =
    " SELECT range AS id, [range, range % 1000, range % 7] AS list, "
    "{'number': range % 1000, 'text': 'text ' || (range % 100), 'real': range / 4} AS struct FROM range(1000000)";

SqlPlace& Place() {
  static std::unique_ptr<SqlPlace> place;
  if (place != nullptr) return *place;
  StoreOptions options;
  options.durability = Durability::kOs;
  options.block_cache_bytes = 512 << 20;  // holds all rows, as the figures are about warm ones
  place = std::make_unique<SqlPlace>("nested", options);
  BeforeClose([] { place.reset(); });
  place->Run("ATTACH '" + (DataFolder() / "nested.duckdb").string() + "' AS native");
  for (const std::string table : {"y.hot", "y.cold", "native.rows"}) {
    place->Run("CREATE TABLE " + table +
               " (id BIGINT PRIMARY KEY, list BIGINT[], struct STRUCT(number BIGINT, text VARCHAR, real DOUBLE))");
    place->Run("INSERT INTO " + table + kRows);
  }
  place->Run("CALL yarrow_flush('cold')");
  WaitForCompactions(*place->database()->store());
  place->Run("SET threads = 1");
  return *place;
}

std::string Source(const std::string& how) {
  if (how == "parquet") return Place().Parquet("cold");
  return how == "native" ? "native.rows" : how;
}

void Aggregate(benchmark::State& state, const std::string& column, const std::string& how) {
  const auto connection = Place().Connect();
  const std::string sql = "SELECT sum(" + column + ") FROM " + Source(how);
  for (auto _ : state) {
    const auto result = connection->Query(sql);
    if (result->HasError()) state.SkipWithError(result->GetError().c_str());
  }
}

void Bare(benchmark::State& state) {
  const BenchTable rows = StoredRows(Place().database(), "hot");
  for (auto _ : state) BareScan(rows, INT64_MAX);
}

[[maybe_unused]] const bool registered = [] {
  using benchmark::RegisterBenchmark;
  for (const auto& [what, column] : {std::pair("list", "list[2]"), std::pair("struct", "struct.number")}) {
    const std::string name = std::string("nested/") + what + "/";
    for (const char* how : {"hot", "cold", "native", "parquet"}) {
      RegisterBenchmark((name + how).c_str(), Aggregate, std::string(column), std::string(how))
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
    RegisterBenchmark((name + "bare").c_str(), Bare)->Unit(benchmark::kMillisecond)->UseRealTime();
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
