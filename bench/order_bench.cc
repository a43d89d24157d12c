// SQL results in key order over two million rows of segments: given by the scan, and sorted by DuckDB.
//
// Names: order/<ascending|descending>/<what is read>/<scan|sort>.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "bench_table.h"
#include "sql_place.h"

namespace yarrow::bench {
namespace {

SqlPlace& Place() {
  static std::unique_ptr<SqlPlace> place;
  if (place != nullptr) return *place;
  place = std::make_unique<SqlPlace>("order", StoreOptions{.durability = Durability::kOs}, Tiers::kByDefault);
  BeforeClose([] { place.reset(); });
  place->Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, name VARCHAR, f DOUBLE)");
  place->Run("INSERT INTO t SELECT i, i * 7919 % 200000, 'name of ' || (i % 1000), i / 4 FROM range(2000000) r(i)");
  return *place;
}

void Ordered(benchmark::State& state, const std::string& sql, bool sorted) {
  SqlPlace& place = Place();
  const auto connection = place.Connect();
  // The sort is left out by an optimizer extension.
  if (sorted) (void)connection->Query("SET disabled_optimizers = 'extension'");
  for (auto _ : state) {
    const auto result = connection->Query(sql);
    if (result->HasError()) state.SkipWithError(result->GetError().c_str());
  }
}

[[maybe_unused]] const bool registered = [] {
  using benchmark::RegisterBenchmark;
  for (const std::string direction : {"ascending", "descending"}) {
    const std::string order = direction == "ascending" ? " FROM t ORDER BY id" : " FROM t ORDER BY id DESC";
    for (const auto& [what, columns] : {std::pair("numbers", "id, v"), std::pair("all", "*")}) {
      for (const bool sorted : {false, true}) {
        const std::string name = "order/" + direction + "/" + what + (sorted ? "/sort" : "/scan");
        RegisterBenchmark(name.c_str(), Ordered, std::string("SELECT ") + columns + order, sorted)
            ->Unit(benchmark::kMillisecond)
            ->UseRealTime();
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
