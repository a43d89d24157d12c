// Indexes over a million events of 10,000 users, against native DuckDB and SQLite in the same run.
//
// Names: index/<what>/<how>. <how> is `hot`, `cold` (the rows in segments), `native` (a DuckDB table with the same
// index, in a file), `sqlite` or `without` (no index).
#include <benchmark/benchmark.h>
#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <duckdb/main/prepared_statement.hpp>
#include <memory>
#include <string>
#include <thread>

#include "bench_table.h"
#include "sql_place.h"

namespace yarrow::bench {
namespace {

constexpr const char* kColumns = " (id BIGINT PRIMARY KEY, user_id INTEGER, ts BIGINT, note VARCHAR)";
// Users and times in no order of the key.
constexpr const char* kRows =
    " SELECT range AS id, range * 7919 % 10007 AS user_id, range * 104729 % 1000003 AS ts, 'note ' || (range % 100) "
    "FROM range(1000000)";
constexpr const char* kTopOfUser = "SELECT * FROM events WHERE user_id = ? ORDER BY ts DESC LIMIT 20";

void CheckSqlite(sqlite3* database, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
    Check(arrow::Status::IOError("SQLite: ", sqlite3_errmsg(database)));
  }
}

// A file of SQLite's with the same rows and its usual settings for a program of one process.
class SqlitePlace {
 public:
  SqlitePlace() {
    const std::string path = (DataFolder() / "index.sqlite").string();
    if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) Check(arrow::Status::IOError("SQLite cannot open ", path));
    Run("PRAGMA journal_mode = wal; PRAGMA synchronous = full; PRAGMA cache_size = -524288");
    Run(std::string("CREATE TABLE events") + kColumns);
    Run("WITH RECURSIVE r (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 999999) INSERT INTO events "
        "SELECT n, n * 7919 % 10007, n * 104729 % 1000003, 'note ' || (n % 100) FROM r");
    Run("CREATE INDEX by_user ON events (user_id, ts)");
  }
  ~SqlitePlace() { sqlite3_close(database_); }
  SqlitePlace(const SqlitePlace&) = delete;
  SqlitePlace& operator=(const SqlitePlace&) = delete;

  void Run(const std::string& sql) {
    CheckSqlite(database_, sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr));
  }
  sqlite3* database() { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

SqlitePlace& Sqlite() {
  static std::unique_ptr<SqlitePlace> place;
  if (place != nullptr) return *place;
  place = std::make_unique<SqlitePlace>();
  BeforeClose([] { place.reset(); });
  return *place;
}

SqlPlace& Place() {
  static std::unique_ptr<SqlPlace> place;
  if (place != nullptr) return *place;
  StoreOptions options;
  options.durability = Durability::kSync;
  options.block_cache_bytes = 512 << 20;  // holds all rows, as the figures are about warm ones
  place = std::make_unique<SqlPlace>("index", options);
  BeforeClose([] { place.reset(); });
  place->Run("ATTACH '" + (DataFolder() / "index.duckdb").string() + "' AS native");
  place->Run("CREATE SCHEMA hot; CREATE SCHEMA cold; CREATE SCHEMA native.native");
  for (const std::string schema : {"y.hot", "y.cold", "native.native"}) {
    place->Run("CREATE TABLE " + schema + ".events" + kColumns);
    place->Run("INSERT INTO " + schema + ".events" + kRows);
    place->Run("CREATE INDEX by_user ON " + schema + ".events (user_id, ts)");
    place->Run("CREATE TABLE " + schema + ".users AS SELECT range * 97 AS id FROM range(100)");
  }
  place->Run("CALL yarrow_flush('cold.events')");
  WaitForCompactions(*place->database()->store());
  place->Run("SET threads = 1");
  return *place;
}

std::unique_ptr<duckdb::Connection> ConnectTo(const std::string& how) {
  auto connection = Place().Connect();
  const auto result = connection->Query("USE " + std::string(how == "native" ? "native." : "y.") + how);
  if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  return connection;
}

void TopOfUser(benchmark::State& state, const std::string& how) {
  const auto connection = ConnectTo(how);
  const auto statement = connection->Prepare(kTopOfUser);
  int32_t user = 0;
  for (auto _ : state) {
    user = (user + 4999) % 10007;
    duckdb::vector<duckdb::Value> values = {duckdb::Value::INTEGER(user)};
    const auto result = statement->Execute(values, /*allow_stream_result=*/false);
    if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
    benchmark::DoNotOptimize(result);
  }
}

void TopOfUserInSqlite(benchmark::State& state) {
  sqlite3* const database = Sqlite().database();
  sqlite3_stmt* statement = nullptr;
  CheckSqlite(database, sqlite3_prepare_v2(database, kTopOfUser, -1, &statement, nullptr));
  int user = 0;
  for (auto _ : state) {
    user = (user + 4999) % 10007;
    sqlite3_bind_int(statement, 1, user);
    int64_t sum = 0;
    while (sqlite3_step(statement) == SQLITE_ROW) sum += sqlite3_column_int64(statement, 0);
    benchmark::DoNotOptimize(sum);
    sqlite3_reset(statement);
  }
  sqlite3_finalize(statement);
}

void Join(benchmark::State& state, const std::string& how) {
  const auto connection = ConnectTo(how);
  for (auto _ : state) {
    const auto result = connection->Query("SELECT count(*), max(ts) FROM users JOIN events ON user_id = users.id");
    if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  }
}

constexpr const char* kColumnsBuilt = "(note, ts)";
constexpr const char* kExpressionBuilt = "(lower(note), ts)";

// Waits until this process does next to nothing: an index that was dropped leaves work to background threads.
void WaitForRest() {
  constexpr std::chrono::milliseconds kLook(50);
  constexpr double kRest = 0.02;  // of a core
  for (std::clock_t before = std::clock();;) {
    std::this_thread::sleep_for(kLook);
    const std::clock_t now = std::clock();
    const double seconds = static_cast<double>(now - before) / CLOCKS_PER_SEC;
    if (seconds < kRest * std::chrono::duration<double>(kLook).count()) return;
    before = now;
  }
}

void Build(benchmark::State& state, const std::string& how, const std::string& keys) {
  const auto connection = ConnectTo(how);
  for (auto _ : state) {
    const auto made = connection->Query("CREATE INDEX made ON events " + keys);
    if (made->HasError()) Check(arrow::Status::Invalid(made->GetError()));
    state.PauseTiming();
    connection->Query("DROP INDEX made");
    WaitForRest();
    state.ResumeTiming();
  }
}

// The same while a connection updates rows of the table, one a commit, as fast as it can.
void BuildBesideWriter(benchmark::State& state) {
  const auto connection = ConnectTo("hot");
  std::atomic<int64_t> updates{0};
  for (auto _ : state) {
    state.PauseTiming();
    std::jthread writer([&](const std::stop_token& stop) {
      const auto other = ConnectTo("hot");
      const auto update = other->Prepare("UPDATE events SET ts = ts + 1 WHERE id = ?");
      for (int64_t i = 0; !stop.stop_requested(); ++i) {
        const auto result = update->Execute(i * 7919 % 1'000'000);
        if (!result->HasError()) ++updates;  // one that the new index comes in between is a conflict
      }
    });
    state.ResumeTiming();
    const int64_t before = updates;
    const auto made = connection->Query(std::string("CREATE INDEX made ON events ") + kColumnsBuilt);
    if (made->HasError()) Check(arrow::Status::Invalid(made->GetError()));
    state.counters["updates"] = static_cast<double>(updates - before);
    state.PauseTiming();
    writer = {};
    connection->Query("DROP INDEX made");
    WaitForRest();
    state.ResumeTiming();
  }
}

void BuildInSqlite(benchmark::State& state, const std::string& keys) {
  SqlitePlace& place = Sqlite();
  for (auto _ : state) {
    place.Run("CREATE INDEX made ON events " + keys);
    state.PauseTiming();
    place.Run("DROP INDEX made");
    WaitForRest();
    state.ResumeTiming();
  }
}

// One row, synced, into a table with an index of two columns and one of `second`, or with none.
void Insert(benchmark::State& state, const std::string& second) {
  SqlPlace& place = Place();
  const std::string table = second.empty() ? "written" : "indexed";
  place.Run("CREATE OR REPLACE TABLE " + table + kColumns);
  place.Run("INSERT INTO " + table + kRows);
  if (!second.empty()) {
    place.Run("CREATE INDEX w1 ON " + table + " (user_id, ts); CREATE INDEX w2 ON " + table + " (" + second + ")");
  }
  const auto connection = place.Connect();
  const auto statement = connection->Prepare("INSERT INTO " + table + " VALUES (?, ?, ?, 'a note')");
  int64_t id = 1'000'000;
  for (auto _ : state) {
    ++id;
    duckdb::vector<duckdb::Value> values = {duckdb::Value::BIGINT(id), duckdb::Value::INTEGER(id % 10007),
                                            duckdb::Value::BIGINT(id * 31 % 1000003)};
    const auto result = statement->Execute(values, /*allow_stream_result=*/false);
    if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  }
  place.Run("DROP TABLE " + table);
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, auto run, auto... arguments) {
    benchmark::RegisterBenchmark(name.c_str(), run, arguments...)->UseRealTime();
  };
  for (const std::string how : {"hot", "cold", "native"}) {
    add("index/top_20_of_user/" + how, TopOfUser, how);
    add("index/join_of_100/" + how, Join, how);
    add("index/build/" + how, Build, how, kColumnsBuilt);
    add("index/build_expression/" + how, Build, how, kExpressionBuilt);
  }
  add("index/top_20_of_user/sqlite", TopOfUserInSqlite);
  add("index/build_beside_writer/hot", BuildBesideWriter);
  add("index/build/sqlite", BuildInSqlite, kColumnsBuilt);
  add("index/build_expression/sqlite", BuildInSqlite, kExpressionBuilt);
  add("index/insert/two_indexes", Insert, "note");
  add("index/insert/with_expression", Insert, "lower(note)");
  add("index/insert/without", Insert, "");
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
