// SQL over tables, against native DuckDB tables of the same rows (in a file, with the same primary key) and a bare
// RocksDB iterator.
//
// Names: sql/<what>/<how>[/<state>]. <how> is `yarrow`, `native` or `bare`. Queries are prepared and give materialised
// results; one thread unless the name says 2_threads.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cctype>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/main/prepared_statement.hpp>
#include <map>
#include <thread>
#include <vector>

#include "allocation_count.h"
#include "bench_table.h"
#include "sql/duckdb_instance.h"
#include "yarrow/sql.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kMillion = 1'000'000;
constexpr int64_t kWrittenRows = 100'000;

std::unique_ptr<duckdb::MaterializedQueryResult> Run(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) Check(arrow::Status::Invalid(sql, ": ", result->GetError()));
  return result;
}

// One instance with a Yarrow database as y and a native one as n.
struct Engines {
  Engines(const std::shared_ptr<Database>& database, const std::string& native_file) : duckdb(sql::OpenDuckDb()) {
    Check(sql::Attach(*duckdb, database, "y"));
    auto connection = Connect("y");
    Run(*connection, "ATTACH '" + (DataFolder() / native_file).string() + "' AS n");
    Run(*connection, "SET threads = 1");
  }
  std::unique_ptr<duckdb::Connection> Connect(const std::string& how) const {
    auto connection = std::make_unique<duckdb::Connection>(*duckdb);
    Run(*connection, how == "native" ? "USE n" : "USE y");
    return connection;
  }
  // A native table like the Yarrow one, with the same rows.
  void CopyToNative() const {
    const auto connection = Connect("native");
    const std::string sql = Run(*connection,
                                "SELECT sql FROM duckdb_tables() WHERE database_name = 'y' AND "
                                "schema_name = 'main' AND table_name = 'rows'")
                                ->GetValue(0, 0)
                                .ToString();
    Run(*connection, sql);
    Run(*connection, "INSERT INTO n.rows SELECT * FROM y.rows");
    Run(*connection, "CHECKPOINT n");
  }

  std::unique_ptr<duckdb::DuckDB> duckdb;
};

const Engines& ReadEngines(TableState table_state) {
  static std::map<TableState, std::unique_ptr<Engines>> engines;
  if (engines.empty()) BeforeClose([] { engines.clear(); });
  auto& made = engines[table_state];
  if (!made) {
    made = std::make_unique<Engines>(GetTable({.rows = kMillion, .wide = false, .state = table_state}).database,
                                     table_state == TableState::kFresh ? "fresh.duckdb" : "aged.duckdb");
    made->CopyToNative();
  }
  return *made;
}

// The figure behind a name in EXPLAIN ANALYZE.
double Figure(duckdb::Connection& connection, const std::string& name, const std::string& sql) {
  const std::string text = Run(connection, "EXPLAIN ANALYZE " + sql)->GetValue(1, 0).ToString();
  size_t at = text.find(name);
  if (at == std::string::npos) Check(arrow::Status::KeyError("EXPLAIN ANALYZE has no ", name));
  while (std::isdigit(static_cast<unsigned char>(text[at])) == 0) ++at;
  return std::stod(text.substr(at));
}

void Query(benchmark::State& state, TableState table_state, const std::string& how, const std::string& sql,
           int threads) {
  const auto connection = ReadEngines(table_state).Connect(how);
  Run(*connection, "SET threads = " + std::to_string(threads));
  const auto statement = connection->Prepare(sql);
  duckdb::vector<duckdb::Value> no_values;
  const auto run = [&] {
    const auto result = statement->Execute(no_values, /*allow_stream_result=*/false);
    if (result->HasError()) Check(arrow::Status::Invalid(sql, ": ", result->GetError()));
    benchmark::DoNotOptimize(result);
  };
  run();  // warms the cache
  for (auto _ : state) run();
  if (how == "yarrow") state.counters["rows_visited"] = Figure(*connection, "Rows visited", sql);
  Run(*connection, "SET threads = 1");
}

void WhereId(benchmark::State& state, TableState table_state, const std::string& how) {
  const auto connection = ReadEngines(table_state).Connect(how);
  const auto statement = connection->Prepare("SELECT * FROM rows WHERE id = ?");
  int64_t id = 0;
  for (auto _ : state) {
    id = (id + 7919) % kMillion;
    duckdb::vector<duckdb::Value> values = {duckdb::Value::BIGINT(id)};
    const auto result = statement->Execute(values, /*allow_stream_result=*/false);
    if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
    benchmark::DoNotOptimize(result);
  }
}

void Bare(benchmark::State& state, TableState table_state) {
  const BenchTable& bench = GetTable({.rows = kMillion, .wide = false, .state = table_state});
  BareScan(bench, INT64_MAX);
  for (auto _ : state) BareScan(bench, INT64_MAX);
}

// --- writes: both sides make every commit durable --------------------------------------------------------------------

struct WriteTables {
  WriteTables() {
    StoreOptions options;
    options.durability = Durability::kSync;
    table = MakeTable("written", {.rows = kWrittenRows}, options);
    engines = std::make_unique<Engines>(table->database, "written.duckdb");
    engines->CopyToNative();
  }
  std::unique_ptr<BenchTable> table;
  std::unique_ptr<Engines> engines;
  int64_t next_id = kWrittenRows;

  static WriteTables& Get() {
    static std::unique_ptr<WriteTables> tables;
    if (!tables) {
      tables = std::make_unique<WriteTables>();
      BeforeClose([] { tables.reset(); });
    }
    return *tables;
  }
};

const char* kInsert =
    "INSERT INTO rows VALUES (?, 7, 7, 7, 7.5, true, TIMESTAMP '2024-01-01', 12.5, 'gate 12', 'passenger 7')";
const char* kUpdate = "UPDATE rows SET c1 = c1 + 1, c7 = 'gate 13' WHERE id = ?";

void Execute(duckdb::PreparedStatement& statement, int64_t id) {
  duckdb::vector<duckdb::Value> values = {duckdb::Value::BIGINT(id)};
  const auto result = statement.Execute(values, /*allow_stream_result=*/false);
  if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
}

void WriteRows(benchmark::State& state, const std::string& how, bool insert) {
  WriteTables& tables = WriteTables::Get();
  const auto connection = tables.engines->Connect(how);
  const auto statement = connection->Prepare(insert ? kInsert : kUpdate);
  int64_t id = 0;
  for (auto _ : state) {
    id = insert ? tables.next_id++ : (id + 7919) % kWrittenRows;
    Execute(*statement, id);
  }
  state.SetItemsProcessed(state.iterations());
}

// One-row updates of `connections` connections on keys of their own.
void Connections(benchmark::State& state, int64_t connections) {
  constexpr int64_t kUpdatesEach = 500;
  const Engines& engines = *WriteTables::Get().engines;
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (int64_t c = 0; c < connections; ++c) {
      threads.emplace_back([&engines, c] {
        const auto connection = engines.Connect("yarrow");
        const auto statement = connection->Prepare(kUpdate);
        for (int64_t i = 0; i < kUpdatesEach; ++i) Execute(*statement, c * kUpdatesEach + i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  state.SetItemsProcessed(state.iterations() * connections * kUpdatesEach);
}

// Ten million rows in one statement.
void Load(benchmark::State& state, const std::string& how, bool from_file) {
  constexpr const char* kRows =
      "SELECT range AS id, (hash(range) % 1000)::BIGINT AS c0, (hash(range + 1) >> 20)::BIGINT AS c1, "
      "(hash(range + 2) % 100000)::INTEGER AS c2, (hash(range + 3) % 1000000) / 64 AS c3, range % 2 = 0 AS c4, "
      "make_timestamp(1700000000000000 + range * 1000003) AS c5, ((range % 1000000000) / 100)::DECIMAL(12, 2) AS c6, "
      "'gate ' || (range % 8) AS c7, 'passenger ' || (hash(range + 4) % 1000000) AS c8 FROM range(10000000)";
  WriteTables& tables = WriteTables::Get();
  const auto connection = tables.engines->Connect(how);
  const std::string file = (DataFolder() / "rows.parquet").string();
  if (from_file && !std::filesystem::exists(file)) {
    Run(*connection, "COPY (" + std::string(kRows) + ") TO '" + file + "'");
  }
  Run(*connection, "SET threads = 2");
  const std::string table = from_file ? "copied" : "inserted";
  double most = 0;
  for (auto _ : state) {
    state.PauseTiming();
    Run(*connection, "CREATE OR REPLACE TABLE " + table +
                         " (id BIGINT PRIMARY KEY, c0 BIGINT, c1 BIGINT, c2 INTEGER, c3 DOUBLE, c4 BOOLEAN, "
                         "c5 TIMESTAMP, c6 DECIMAL(12, 2), c7 VARCHAR, c8 VARCHAR)");
    ReleaseFreeMemory();
    ResetPeakMemory();
    const uint64_t before = CurrentMemory();
    state.ResumeTiming();
    Run(*connection, from_file ? "COPY " + table + " FROM '" + file + "'" : "INSERT INTO " + table + " " + kRows);
    most = std::max(most, (static_cast<double>(PeakMemory()) - static_cast<double>(before)) / (1 << 20));
  }
  state.counters["MB"] = most;
  Run(*connection, "DROP TABLE " + table);
  Run(*connection, "SET threads = 1");
}

void RegisterState(TableState table_state, const std::string& suffix) {
  using benchmark::RegisterBenchmark;
  const auto add = [&](const std::string& name, auto function, auto... arguments) {
    return RegisterBenchmark(("sql/" + name + "/" + suffix).c_str(), function, table_state, arguments...);
  };
  add("scan/bare", Bare)->Unit(benchmark::kMillisecond);
  for (const std::string how : {"yarrow", "native"}) {
    add("limit_10/" + how, Query, how, "SELECT * FROM rows LIMIT 10", 1)->Unit(benchmark::kMicrosecond);
    add("where_id/" + how, WhereId, how)->Unit(benchmark::kMicrosecond);
    for (const int threads : {1, 2}) {
      const std::string name = how + (threads == 1 ? "" : "/2_threads");
      const auto query = [&](const char* what, const char* sql) {
        add(what + ("/" + name), Query, how, sql, threads)->Unit(benchmark::kMillisecond)->UseRealTime();
      };
      query("sum", "SELECT sum(c1) FROM rows");
      query("filter", "SELECT * FROM rows WHERE c0 = 7");
      query("all", "SELECT * FROM rows");
    }
  }
}

[[maybe_unused]] const bool registered = [] {
  RegisterState(TableState::kFresh, "fresh");
  RegisterState(TableState::kAged, "aged");
  using benchmark::RegisterBenchmark;
  for (const std::string how : {"yarrow", "native"}) {
    const auto once = [&](const std::string& name, bool from_file) {
      RegisterBenchmark(("sql/" + name + "/" + how).c_str(), Load, how, from_file)
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime()
          ->Iterations(1)
          ->Repetitions(1);
    };
    RegisterBenchmark(("sql/insert/" + how).c_str(), WriteRows, how, true)
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
    RegisterBenchmark(("sql/update/" + how).c_str(), WriteRows, how, false)
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
    once("insert_10M", false);
    once("copy_10M", true);
  }
  for (const int64_t connections : {1, 8}) {
    RegisterBenchmark(("sql/connections/" + std::to_string(connections)).c_str(), Connections, connections)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
