// Both tiers: flushing, scans and single rows of segments, against what each is made of.
//
// Names: tiers/<what>/<how>. SQL runs in one instance with the Yarrow database as y; `parquet` is read_parquet over the
// very segment files. Figures that are no time of one call are counters.
#include <benchmark/benchmark.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <arrow/io/file.h>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/main/prepared_statement.hpp>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <thread>
#include <vector>

#include "allocation_count.h"
#include "bench_table.h"
#include "sql_place.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kMillion = 1'000'000;

using Clock = std::chrono::steady_clock;
double Micros(Clock::time_point since) {
  return std::chrono::duration<double, std::micro>(Clock::now() - since).count();
}

double Percentile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

std::unique_ptr<duckdb::MaterializedQueryResult> Run(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) Check(arrow::Status::Invalid(sql, ": ", result->GetError()));
  return result;
}

// A block cache that holds all of a table, as the figures are about warm ones.
StoreOptions WarmOptions() {
  StoreOptions options;
  options.durability = Durability::kOs;
  options.block_cache_bytes = 512 << 20;
  return options;
}

constexpr const char* kColumns =
    "(id BIGINT PRIMARY KEY, c0 BIGINT, c1 BIGINT, c2 INTEGER, c3 DOUBLE, c4 BOOLEAN, c5 TIMESTAMP, c6 DECIMAL(12, 2), "
    "c7 VARCHAR, c8 VARCHAR)";

// Rows [first, first + rows) whose ids are `step` apart.
std::string Rows(int64_t first, int64_t rows, int64_t step = 1) {
  return "SELECT range * " + std::to_string(step) +
         " AS id, (hash(range) % 1000)::BIGINT AS c0, (hash(range + 1) >> 20)::BIGINT AS c1, "
         "(hash(range + 2) % 100000)::INTEGER AS c2, (hash(range + 3) % 1000000) / 64 AS c3, range % 2 = 0 AS c4, "
         "make_timestamp(1700000000000000 + range * 1000003) AS c5, "
         "((range % 1000000000) / 100)::DECIMAL(12, 2) AS c6, 'gate ' || (range % 8) AS c7, "
         "'passenger ' || (hash(range + 4) % 1000000) AS c8 FROM range(" +
         std::to_string(first) + ", " + std::to_string(first + rows) + ")";
}

void Fill(duckdb::Connection& connection, const std::string& table, const std::string& rows) {
  Run(connection, "CREATE TABLE IF NOT EXISTS " + table + kColumns);
  Run(connection, "INSERT INTO " + table + " " + rows);
}

// --- flush ---

// On a thread of its own, as the background does it, with nothing that the load has freed to use again, as glibc gives
// each thread an arena of its own; and RocksDB at rest, so that what is measured is the flush.
void Flush(benchmark::State& state, int64_t rows) {
  double most = 0;
  for (auto _ : state) {
    auto bench = MakeTable("flushed", {.rows = rows}, WarmOptions());
    WaitForCompactions(*bench->database->store());
    ReleaseFreeMemory();
    ResetPeakMemory();
    const uint64_t before = CurrentMemory();
    const auto start = Clock::now();
    std::thread([&] { Check(bench->table->Flush({}).status()); }).join();
    state.SetIterationTime(Micros(start) / 1e6);
    most = std::max(most, (static_cast<double>(PeakMemory()) - static_cast<double>(before)) / (1 << 20));
    bench.reset();
    std::filesystem::remove_all(DataFolder() / "flushed");
  }
  state.counters["MB"] = most;
}

// A bare iterator over the rows, and Arrow writing the same batches: zstd 1, its defaults else.
void FlushParts(benchmark::State& state) {
  const BenchTable& bench = GetTable({.rows = kMillion});
  const auto batches = Check(Check(bench.table->Scan({}))->ToRecordBatches());
  const std::string path = DataFolder() / "arrow.parquet";
  for (auto _ : state) {
    const auto start = Clock::now();
    BareScan(bench, INT64_MAX);
    const auto file = Check(arrow::io::FileOutputStream::Open(path));
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)->compression_level(1)->max_row_group_length(122'880);
    const auto writer = Check(parquet::arrow::FileWriter::Open(*bench.table->schema(), arrow::default_memory_pool(),
                                                               file, properties.build()));
    for (const auto& batch : batches) Check(writer->WriteRecordBatch(*batch));
    Check(writer->Close());
    ::fsync(file->file_descriptor());
    state.SetIterationTime(Micros(start) / 1e6);
  }
}

// Puts rows of random ids, each a synced commit, as long as `goes_on`; microseconds of each.
std::vector<double> CommitRows(Table& table, std::vector<Value> row, int64_t ids,
                               const std::function<bool()>& goes_on) {
  std::mt19937_64 random(7);
  std::vector<double> micros;
  while (goes_on()) {
    row[0] = Value(static_cast<int64_t>(random() % ids));
    const auto start = Clock::now();
    Check(table.Put(row));
    micros.push_back(Micros(start));
  }
  return micros;
}

// Commits of single rows by one thread: for four seconds alone, for four beside a thread that only counts, as another
// busy core makes a machine slower, and then while 5M rows are flushed. One after the other, as the disk of a machine
// may be another one a minute later.
void CommitsBesideFlush(benchmark::State& state) {
  constexpr int64_t kRows = 5 * kMillion;
  for (auto _ : state) {
    StoreOptions options;
    options.durability = Durability::kSync;
    const auto bench = MakeTable("beside", {.rows = kRows}, options);
    Table& table = *bench->table;
    const auto found = Check(table.Get({Value(int64_t{1})}));
    std::vector<Value> row;
    for (int column = 0; column < table.schema()->num_fields(); ++column) row.push_back(Check(found->Get(column)));
    WaitForCompactions(*bench->database->store());
    const auto commit_for_seconds = [&] {
      const auto start = Clock::now();
      return CommitRows(table, row, kRows, [&] { return Micros(start) < 4e6; });
    };
    const auto alone = commit_for_seconds();
    std::atomic<bool> done{false};
    std::thread counter([&] {
      for (volatile uint64_t count = 0; !done;) count = count + 1;
    });
    const auto beside_counter = commit_for_seconds();
    done = true;
    counter.join();
    done = false;
    std::thread flusher([&] {
      Check(table.Flush({}).status());
      done = true;
    });
    const auto beside_flush = CommitRows(table, row, kRows, [&] { return !done; });
    flusher.join();
    for (const auto& [name, share] : {std::pair<std::string, double>("p50", 0.5), {"p99", 0.99}}) {
      const double us = Percentile(beside_flush, share), us_alone = Percentile(alone, share);
      state.counters[name] = us / us_alone;
      state.counters[name + "_counting"] = Percentile(beside_counter, share) / us_alone;
      state.counters[name + "_us"] = us;
    }
  }
  std::filesystem::remove_all(DataFolder() / "beside");
}

// --- scans ---

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

double MedianMillis(duckdb::Connection& connection, const std::string& sql, int times) {
  std::vector<double> millis;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    Run(connection, sql);
    millis.push_back(Micros(start) / 1000);
  }
  return Percentile(millis, 0.5);
}

// The 22 queries over tables that are all in segments, and over views of the same files.
void Tpch(benchmark::State& state) {
  const std::filesystem::path root = YARROW_ROOT;
  const std::filesystem::path data = root / ".deps/data/tpch-1/sf1";
  SqlPlace y("tpch", WarmOptions());
  Run(y.connection(), ReadText(root / "tests/tpch/schema.sql"));
  Run(y.connection(), "CREATE SCHEMA memory.files");
  const auto parquet = std::make_unique<duckdb::Connection>(y.duckdb());
  for (const char* table : {"region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem"}) {
    Run(y.connection(),
        std::string("COPY ") + table + " FROM '" + (data / (std::string(table) + ".parquet")).string() + "'");
    Run(y.connection(), std::string("CALL yarrow_flush('") + table + "')");
    Run(*parquet, std::string("CREATE VIEW memory.files.") + table + " AS FROM " + y.Parquet(table));
  }
  WaitForCompactions(*y.database()->store());
  Run(*parquet, "USE memory.files");
  Run(y.connection(), "SET threads = 2");
  for (auto _ : state) {
    double logs = 0, ours = 0, theirs = 0;
    for (int query = 1; query <= 22; ++query) {
      const std::string name = (query < 10 ? "q0" : "q") + std::to_string(query);
      const std::string sql = ReadText(root / "tests/tpch" / (name + ".sql"));
      MedianMillis(*parquet, sql, 1);
      double mine = MedianMillis(y.connection(), sql, 3);
      const double other = MedianMillis(*parquet, sql, 3);
      mine = std::min(mine, MedianMillis(y.connection(), sql, 3));
      const double again = std::min(other, MedianMillis(*parquet, sql, 3));
      std::fprintf(stderr, "%s %.1f ms, read_parquet %.1f ms: %.2f\n", name.c_str(), mine, again, mine / again);
      logs += std::log(mine / again);
      ours += mine;
      theirs += again;
    }
    state.counters["geomean"] = std::exp(logs / 22);
    state.counters["total"] = ours / theirs;
  }
}

// 95 % of a million rows in segments, 5 % behind them in RocksDB, 1 % of the cold ones overridden.
struct Hybrid {
  Hybrid() : y("hybrid", WarmOptions()) {
    duckdb::Connection& connection = y.connection();
    Fill(connection, "mixed", Rows(0, 950'000));
    Run(connection, "CALL yarrow_flush('mixed')");
    Run(connection, "DELETE FROM mixed WHERE id % 200 = 7");
    Run(connection, "UPDATE mixed SET c1 = c1 + 1 WHERE id % 200 = 9");
    Fill(connection, "mixed", Rows(950'000, 50'000));
    Fill(connection, "cold", Rows(0, 950'000));
    Run(connection, "CALL yarrow_flush('cold')");
    Fill(connection, "hot", "SELECT * FROM mixed WHERE id >= 950000 OR id % 200 = 9");
    WaitForCompactions(*y.database()->store());
    Run(connection, "SET threads = 1");
  }
  SqlPlace y;

  static Hybrid& Get() {
    static std::unique_ptr<Hybrid> hybrid;
    if (!hybrid) {
      hybrid = std::make_unique<Hybrid>();
      BeforeClose([] { hybrid.reset(); });
    }
    return *hybrid;
  }
};

duckdb::unique_ptr<duckdb::QueryResult> Execute(duckdb::PreparedStatement& statement) {
  duckdb::vector<duckdb::Value> no_values;
  return statement.Execute(no_values, /*allow_stream_result=*/false);
}

// The query over each of the tables, one after the other.
void HybridQuery(benchmark::State& state, const std::vector<std::string>& tables, const std::string& query) {
  Hybrid& hybrid = Hybrid::Get();
  std::vector<duckdb::unique_ptr<duckdb::PreparedStatement>> statements;
  for (const std::string& table : tables) {
    std::string sql = query;
    sql.replace(sql.find("rows"), 4, table == "parquet" ? hybrid.y.Parquet("cold") : table);
    statements.push_back(hybrid.y.connection().Prepare(sql));
  }
  for (auto _ : state) {
    for (const auto& statement : statements) {
      Check(Execute(*statement)->HasError() ? arrow::Status::Invalid(query) : arrow::Status::OK());
    }
  }
}

// --- single rows ---

// A table of a million cold rows whose ids are 10 apart, in as many segments as told.
struct ColdRows {
  ColdRows(int segments, const char* layout) : y("cold-rows", WarmOptions()) {
    const int64_t rows = kMillion / segments;
    for (int i = 0; i < segments; ++i) {
      Fill(y.connection(), "rows", Rows(i * rows, rows, 10));
      Run(y.connection(), std::string("CALL yarrow_flush('rows', optimize_for = '") + layout + "')");
    }
    Run(y.connection(), "SET threads = 1");
  }
  SqlPlace y;
};

duckdb::vector<duckdb::Value> Id(int64_t id) {
  return {duckdb::Value::BIGINT(id)};
}

double MicrosOf(duckdb::PreparedStatement& statement, int64_t id) {
  duckdb::vector<duckdb::Value> values = Id(id);
  const auto start = Clock::now();
  const auto result = statement.Execute(values, false);
  const double micros = Micros(start);
  if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  return micros;
}

// Lookups of random keys by SQL in our table and in its file, its row groups in memory.
void ColdLookup(benchmark::State& state, const char* layout) {
  ColdRows cold(1, layout);
  duckdb::Connection& connection = cold.y.connection();
  const auto ours = connection.Prepare("SELECT * FROM rows WHERE id = ?");
  const auto file = connection.Prepare("SELECT * FROM " + cold.y.Parquet("rows") + " WHERE id = ?");
  std::mt19937_64 random(7);
  for (auto _ : state) {
    std::vector<double> mine, others;
    for (int i = 0; i < 300; ++i) {
      const auto id = static_cast<int64_t>(random() % kMillion) * 10;
      mine.push_back(MicrosOf(*ours, id));
      others.push_back(MicrosOf(*file, id));
    }
    state.counters["us"] = Percentile(mine, 0.5);
    state.counters["parquet_us"] = Percentile(others, 0.5);
    state.counters["ratio"] = Percentile(mine, 0.5) / Percentile(others, 0.5);
  }
}

// Rows of `table` by random keys (the multiples of 10), read by some threads for a while: how many a second.
double RowsASecond(const Table& table, int threads) {
  constexpr std::chrono::seconds kWhile{2};
  std::atomic<int64_t> rows = 0;
  std::vector<std::thread> readers;
  const auto start = Clock::now();
  for (int t = 0; t < threads; ++t) {
    readers.emplace_back([&, t] {
      std::mt19937_64 random(static_cast<uint64_t>(t));
      int64_t own = 0;
      for (; Clock::now() - start < kWhile; ++own) {
        const auto id = static_cast<int64_t>(random() % kMillion) * 10;
        if (!Check(table.Get({Value(id)})).has_value()) std::abort();
      }
      rows += own;
    });
  }
  for (std::thread& reader : readers) reader.join();
  return static_cast<double>(rows) / 2;
}

// Rows of a segment of which all pages are in memory, and hot ones: 8 threads over one.
void LookupByThreads(benchmark::State& state) {
  ColdRows cold(1, "scan");
  Fill(cold.y.connection(), "hot", Rows(0, kMillion, 10));
  WaitForCompactions(*cold.y.database()->store());
  const auto session = Check(cold.y.database()->OpenSession());
  for (auto _ : state) {
    for (const std::string name : {"rows", "hot"}) {
      const auto table = Check(session->OpenTable(name));
      for (int64_t id = 0; id < 10 * kMillion; id += 10'000) Check(table->Get({Value(id)}));
      const double one = RowsASecond(*table, 1);
      state.counters[name] = RowsASecond(*table, 8) / one;
      state.counters[name + "_us"] = 1e6 / one;
    }
  }
}

// A join of 2,000 keys with a table of a million, hot over cold, by SQL.
void JoinOnKeys(benchmark::State& state) {
  ColdRows cold(1, "scan");
  duckdb::Connection& connection = cold.y.connection();
  Fill(connection, "hot", Rows(0, kMillion, 10));
  Run(connection, "CREATE TEMP TABLE wanted AS SELECT range * 4990 AS k FROM range(2000)");
  const auto millis = [&](const std::string& table) {
    return MedianMillis(connection, "SELECT count(*), sum(c1) FROM " + table + " JOIN wanted ON id = k", 9);
  };
  for (auto _ : state) {
    const double hot = millis("hot");
    state.counters["ratio"] = hot / millis("rows");
    state.counters["hot_ms"] = hot;
  }
}

// The first lookup in each row group of one table and the first update in each of another, by SQL: nothing of them is
// in memory yet.
void ColdUpdate(benchmark::State& state) {
  ColdRows cold(1, "lookup");
  duckdb::Connection& connection = cold.y.connection();
  Fill(connection, "changed", Rows(0, kMillion, 10));
  Run(connection, "CALL yarrow_flush('changed', optimize_for = 'lookup')");
  const auto lookup = connection.Prepare("SELECT * FROM rows WHERE id = ?");
  const auto update = connection.Prepare("UPDATE changed SET c1 = c1 + 1 WHERE id = ?");
  constexpr int64_t kRowGroup = 30'720;
  for (auto _ : state) {
    std::vector<double> lookups, updates;
    for (int64_t row = 77; row < kMillion; row += kRowGroup) {
      lookups.push_back(MicrosOf(*lookup, row * 10));
      updates.push_back(MicrosOf(*update, row * 10));
    }
    state.counters["lookup_us"] = Percentile(lookups, 0.5);
    state.counters["update_us"] = Percentile(updates, 0.5);
    state.counters["ratio"] = Percentile(updates, 0.5) / Percentile(lookups, 0.5);
  }
}

// Statements that change 10 % of a million rows and then all that are left, in segments and in RocksDB.
void ChangeMany(benchmark::State& state) {
  SqlPlace y("change-many", WarmOptions());
  duckdb::Connection& connection = y.connection();
  for (const char* table : {"cold", "hot"}) Fill(connection, table, Rows(0, kMillion));
  Run(connection, "CALL yarrow_flush('cold')");
  Run(connection, "SET threads = 1");
  const auto ratio = [&](const std::string& before, const std::string& after) {
    const auto time = [&](const std::string& table) {
      const auto start = Clock::now();
      Run(connection, before + table + after);
      return Micros(start);
    };
    const double hot = time("hot");
    return time("cold") / hot;
  };
  for (auto _ : state) {
    // Rows that change are hot from then on.
    state.counters["update"] = ratio("UPDATE ", " SET c1 = c1 + 1 WHERE c0 < 100");
    state.counters["delete"] = ratio("DELETE FROM ", " WHERE c0 BETWEEN 100 AND 199");
    state.counters["update_all"] = ratio("UPDATE ", " SET c1 = c1 + 1 WHERE c0 >= 200");
  }
}

// New keys between those of a table that is 99 % cold in 100 segments, and of one that is hot.
void InsertNewKeys(benchmark::State& state) {
  ColdRows cold(100, "scan");
  duckdb::Connection& connection = cold.y.connection();
  Fill(connection, "rows", Rows(kMillion, 10'000, 10));
  Fill(connection, "hot", Rows(0, kMillion, 10));
  const std::string values = " VALUES (?, 7, 7, 7, 7.5, true, TIMESTAMP '2024-01-01', 12.5, 'gate 12', 'passenger 7')";
  const auto into_cold = connection.Prepare("INSERT INTO rows" + values);
  const auto into_hot = connection.Prepare("INSERT INTO hot" + values);
  std::mt19937_64 random(7);
  for (auto _ : state) {
    std::vector<double> mine, others;
    for (int i = 0; i < 3000; ++i) {
      const auto id = static_cast<int64_t>(random() % (kMillion / 2)) * 20 + 3 + i % 7;
      duckdb::vector<duckdb::Value> key = Id(id);
      for (auto* side : {&mine, &others}) {
        const auto start = Clock::now();
        (side == &mine ? into_cold : into_hot)->Execute(key, false);  // a key that came before is refused by both
        side->push_back(Micros(start));
      }
    }
    state.counters["p50"] = Percentile(mine, 0.5) / Percentile(others, 0.5);
    state.counters["p99"] = Percentile(mine, 0.99) / Percentile(others, 0.99);
  }
}

// 10,000 users with 100 rows each: one user's rows, and the same in a table of their own.
void OneUser(benchmark::State& state) {
  SqlPlace y("users", WarmOptions());
  Run(y.connection(), "CREATE TABLE u (id BIGINT PRIMARY KEY, v BIGINT, t VARCHAR) WITH (kind = 'user')");
  for (int user = 0; user < 10'000; ++user) {
    const auto session = Check(y.database()->OpenSession({.user = "user" + std::to_string(user)}));
    const auto table = Check(session->OpenTable("u"));
    for (int64_t i = 0; i < 100; ++i) {
      Check(table->Put({Value(i), Value(i * 7), Value("text of row " + std::to_string(i))}));
    }
  }
  const auto session = Check(y.database()->OpenSession({.user = "user5000"}));
  const auto user_table = Check(session->OpenTable("u"));
  Run(y.connection(), "CREATE TABLE own (id BIGINT PRIMARY KEY, v BIGINT, t VARCHAR)");
  Run(y.connection(), "INSERT INTO own SELECT range, range * 7, 'text of row ' || range FROM range(100)");
  const auto own_table = Check(Check(y.database()->OpenSession())->OpenTable("own"));
  const auto time = [](const Table& table) {
    const auto start = Clock::now();
    Check(Check(table.Scan({}))->ToTable());
    return Micros(start);
  };
  for (auto _ : state) {
    std::vector<double> mine, others;
    for (int i = 0; i < 2000; ++i) {
      mine.push_back(time(*user_table));
      others.push_back(time(*own_table));
    }
    state.counters["ratio"] = Percentile(mine, 0.5) / Percentile(others, 0.5);
    state.counters["us"] = Percentile(mine, 0.5);
  }
}

const bool registered = [] {
  const auto once = [](const std::string& name, auto function, auto... arguments) {
    benchmark::RegisterBenchmark(("tiers/" + name).c_str(), function, arguments...)
        ->Iterations(1)
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  };
  const auto timed = [](const std::string& name, auto function, auto... arguments) {
    benchmark::RegisterBenchmark(("tiers/" + name).c_str(), function, arguments...)
        ->Iterations(1)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  };
  timed("flush/1M", Flush, kMillion);
  timed("flush/5M", Flush, 5 * kMillion);
  timed("flush/20M", Flush, 20 * kMillion);
  timed("flush/parts", FlushParts);
  once("commits_beside_flush", CommitsBesideFlush);
  once("tpch", Tpch);
  const std::vector<std::pair<std::string, std::string>> queries = {
      {"sum", "SELECT sum(c1) FROM rows"},
      {"group", "SELECT c7, count(*), sum(c3) FROM rows GROUP BY c7"},
      {"filter", "SELECT count(*), max(c8) FROM rows WHERE c0 = 77"},
      {"all", "SELECT * FROM rows"}};
  for (const auto& [name, sql] : queries) {
    const auto add = [&](const std::string& how, const std::vector<std::string>& tables) {
      benchmark::RegisterBenchmark(("tiers/" + name + "/" + how).c_str(), HybridQuery, tables, sql)
          ->Unit(benchmark::kMillisecond);
    };
    for (const std::string table : {"mixed", "cold", "hot", "parquet"}) add(table, {table});
    add("parts", {"cold", "hot"});  // what a mixed table is held against
  }
  once("lookup/scan", ColdLookup, "scan");
  once("lookup/lookup", ColdLookup, "lookup");
  once("lookup/threads", LookupByThreads);
  once("join_on_keys", JoinOnKeys);
  once("update", ColdUpdate);
  once("change_many", ChangeMany);
  once("insert_new_keys", InsertNewKeys);
  once("one_user", OneUser);
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
