// Writing tables, against a bare RocksDB of the same options and SQLite (WAL, synchronous as the mode says).
//
// Names: write/<what>/<how>/<mode>. unsynced: what is written survives the process, not the machine; synced: both.
#include <arrow/api.h>
#include <benchmark/benchmark.h>
#include <rocksdb/db.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>
#include <vector>

#include "bench_table.h"
#include "store/rocksdb_options.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kKeys = 200'000;

StoreOptions Options(bool synced) {
  StoreOptions options;
  options.durability = synced ? Durability::kSync : Durability::kOs;
  return options;
}

std::string FreshName(const char* what) {
  static int number = 0;
  return std::string(what) + "-" + std::to_string(++number);
}

// The values of row `id`, in table order.
std::vector<Value> RowOf(int64_t id) {
  return {Value(id),
          Value(id % 1000),
          Value(id * 7919),
          Value(static_cast<int32_t>(id % 100000)),
          Value(static_cast<double>(id) / 64),
          Value(id % 2 == 0),
          Value(int64_t{1700000000000000} + id),
          Value(Decimal{id % 1000000000, 2}),
          Value("gate 12"),
          Value("passenger " + std::to_string(id % 1000000))};
}

int64_t NextKey(int64_t key) {
  return (key + 7919) % kKeys;
}

void PutTable(benchmark::State& state, bool synced) {
  const auto bench = MakeTable(FreshName("put"), {.rows = 0}, Options(synced));
  std::vector<std::vector<Value>> rows;
  for (int64_t i = 0; i < 1000; ++i) rows.push_back(RowOf(i));
  int64_t key = 0;
  for (auto _ : state) {
    key = NextKey(key);
    std::vector<Value>& row = rows[key % 1000];
    row[0] = key;
    Check(bench->table->Put(row));
  }
  state.SetItemsProcessed(state.iterations());
}

// One row written by Put, for the bare RocksDB to write too.
std::pair<std::string, std::string> EncodedRow() {
  auto bench = MakeTable(FreshName("encoded"), {.rows = 0}, Options(false));
  Check(bench->table->Put(RowOf(123456)));
  auto row = Check(bench->table->Get({123456}));
  return {std::string(row->encoded_key()), std::string(row->encoded_row())};
}

struct BareDb {
  explicit BareDb(const std::string& name) {
    rocksdb::Options options(MakeDbOptions(Options(false)), MakePartitionOptions(Options(false), nullptr));
    options.create_if_missing = true;
    rocksdb::DB* opened = nullptr;
    const auto status = rocksdb::DB::Open(options, (DataFolder() / name).string(), &opened);
    if (!status.ok()) Check(arrow::Status::IOError(status.ToString()));
    db.reset(opened);
  }
  std::unique_ptr<rocksdb::DB> db;
};

void PutBare(benchmark::State& state, bool synced) {
  const BareDb bare(FreshName("bare"));
  auto [key_bytes, row] = EncodedRow();
  rocksdb::WriteOptions options;
  options.sync = synced;
  int64_t key = 0;
  for (auto _ : state) {
    key = NextKey(key);
    for (size_t i = 0; i < 8; ++i) key_bytes[key_bytes.size() - 1 - i] = static_cast<char>(key >> (8 * i));
    const auto status = bare.db->Put(options, key_bytes, row);
    if (!status.ok()) Check(arrow::Status::IOError(status.ToString()));
  }
  state.SetItemsProcessed(state.iterations());
}

class Sqlite {
 public:
  Sqlite(const std::string& name, bool synced) {
    Run(sqlite3_open((DataFolder() / name).c_str(), &db_));
    Execute("PRAGMA journal_mode = WAL");
    Execute(synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    Execute(
        "CREATE TABLE rows (id INTEGER PRIMARY KEY, c0 INT, c1 INT, c2 INT, c3 REAL, c4 INT, c5 INT, c6 INT, c7 TEXT, "
        "c8 TEXT)");
    Run(sqlite3_prepare_v2(db_, "INSERT OR REPLACE INTO rows VALUES (?,?,?,?,?,?,?,?,?,?)", -1, &put_, nullptr));
  }
  ~Sqlite() {
    sqlite3_finalize(put_);
    sqlite3_close(db_);
  }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  void Put(int64_t id) {
    sqlite3_reset(put_);
    const int64_t numbers[] = {id, id % 1000, id * 7919, id % 100000};
    for (int i = 0; i < 4; ++i) sqlite3_bind_int64(put_, i + 1, numbers[i]);
    sqlite3_bind_double(put_, 5, static_cast<double>(id) / 64);
    sqlite3_bind_int64(put_, 6, id % 2);
    sqlite3_bind_int64(put_, 7, 1700000000000000 + id);
    sqlite3_bind_int64(put_, 8, id % 1000000000);
    sqlite3_bind_text(put_, 9, "gate 12", -1, SQLITE_STATIC);
    const std::string name = "passenger " + std::to_string(id % 1000000);
    sqlite3_bind_text(put_, 10, name.c_str(), -1, SQLITE_TRANSIENT);
    if (sqlite3_step(put_) != SQLITE_DONE) Check(arrow::Status::IOError(sqlite3_errmsg(db_)));
  }

 private:
  void Run(int code) {
    if (code != SQLITE_OK) Check(arrow::Status::IOError(sqlite3_errmsg(db_)));
  }
  void Execute(const char* sql) { Run(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* put_ = nullptr;
};

void PutSqlite(benchmark::State& state, bool synced) {
  Sqlite sqlite(FreshName("sqlite"), synced);
  int64_t key = 0;
  for (auto _ : state) {
    key = NextKey(key);
    sqlite.Put(key);
  }
  state.SetItemsProcessed(state.iterations());
}

// Synced commits of `writers` threads on keys of their own.
void Writers(benchmark::State& state, int writers) {
  constexpr int64_t kCommits = 400;
  const auto bench = MakeTable(FreshName("writers"), {.rows = 0}, Options(true));
  for (auto _ : state) {
    std::vector<std::thread> threads;
    for (int w = 0; w < writers; ++w) {
      threads.emplace_back([&, w] {
        std::vector<Value> row = RowOf(w);
        for (int64_t i = 0; i < kCommits; ++i) {
          row[0] = w * kCommits + i;
          Check(bench->table->Put(row));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  state.SetItemsProcessed(state.iterations() * writers * kCommits);
  state.counters["ns_per_commit"] =
      benchmark::Counter(static_cast<double>(writers * kCommits) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

// CPU of the whole process, RocksDB's threads included, a row; generating the batches is not counted.
void BulkLoad(benchmark::State& state) {
  constexpr int64_t kRows = 1'000'000;
  const auto batches = Check(GenerateRows(0, kRows, false)->ToRecordBatches());
  for (auto _ : state) {
    state.PauseTiming();
    auto bench = MakeTable(FreshName("load"), {.rows = 0}, Options(true));
    auto reader = Check(arrow::RecordBatchReader::Make(batches));
    state.ResumeTiming();
    Check(bench->table->BulkLoad(reader.get()).status());
    state.PauseTiming();
    bench.reset();
    state.ResumeTiming();
  }
  state.counters["cpu_ns_per_row"] = benchmark::Counter(
      static_cast<double>(kRows) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

[[maybe_unused]] const bool registered = [] {
  using benchmark::RegisterBenchmark;
  for (const bool synced : {false, true}) {
    const std::string mode = synced ? "synced" : "unsynced";
    for (auto* run : {RegisterBenchmark(("write/put/table/" + mode).c_str(), PutTable, synced),
                      RegisterBenchmark(("write/put/bare/" + mode).c_str(), PutBare, synced),
                      RegisterBenchmark(("write/put/sqlite/" + mode).c_str(), PutSqlite, synced)}) {
      run->Unit(benchmark::kMicrosecond)->UseRealTime();
    }
  }
  for (int writers : {1, 8}) {
    RegisterBenchmark(("write/writers/" + std::to_string(writers)).c_str(), Writers, writers)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  RegisterBenchmark("write/bulk_load", BulkLoad)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->Iterations(1);
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
