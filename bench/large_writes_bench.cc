// Statements of a million rows beside connections that write one row at a time.
//
// Names: large/<statement>. Counters: the longest that one of the others' commits took, over and without the statement,
// in milliseconds; commits of the others that failed; the statement's seconds.
#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "allocation_count.h"
#include "bench_table.h"
#include "sql_place.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kRows = 1'500'000;

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// Writes rows of a table one by one until it is stopped.
class OneRowWriter {
 public:
  // `statement` gets the number of the row.
  OneRowWriter(SqlPlace* place, std::function<std::string(int64_t)> statement, std::chrono::milliseconds pause)
      : connection_(place->Connect()), statement_(std::move(statement)), pause_(pause), thread_([this] { Run(); }) {}

  void Stop() {
    stop_ = true;
    thread_.join();
  }
  // The longest since the last call.
  double TakeLongest() { return longest_.exchange(0); }
  int64_t failed() const { return failed_; }

 private:
  void Run() {
    for (int64_t row = 0; !stop_; ++row) {
      const auto start = Clock::now();
      const auto result = connection_->Query(statement_(row));
      const double milliseconds = MillisecondsSince(start);
      if (result->HasError() && failed_++ == 0) std::fprintf(stderr, "one row: %s\n", result->GetError().c_str());
      longest_ = std::max(longest_.load(), milliseconds);
      std::this_thread::sleep_for(pause_);
    }
  }

  const std::unique_ptr<duckdb::Connection> connection_;
  const std::function<std::string(int64_t)> statement_;
  const std::chrono::milliseconds pause_;
  std::atomic<bool> stop_ = false;
  std::atomic<double> longest_ = 0;
  std::atomic<int64_t> failed_ = 0;
  std::thread thread_;
};

std::string Insert(const std::string& table, int64_t id) {
  return "INSERT INTO " + table + " VALUES (" + std::to_string(id) + ", 1, 'one row')";
}

void BesideOneRowWriters(benchmark::State& state, const std::string& sql, bool cold) {
  for (auto _ : state) {
    SqlPlace place("large", {});
    for (const char* table : {"t", "other"}) {
      place.Run(std::string("CREATE TABLE ") + table + " (id BIGINT PRIMARY KEY, n INT, v VARCHAR)");
    }
    place.Run("INSERT INTO t SELECT 2 * i, i % 7, 'row ' || i FROM range(" + std::to_string(kRows) + ") r(i)");
    if (cold) place.Run("CALL yarrow_flush('t')");
    // Between the rows of the statement, but none of them.
    OneRowWriter same(
        &place, [](int64_t row) { return Insert("t", (row * 7919 % (2 * kRows)) * 2 + 1); },
        std::chrono::milliseconds(20));
    OneRowWriter other(
        &place, [](int64_t row) { return Insert("other", row); }, std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::seconds(2));
    state.counters["alone_ms"] = std::max(same.TakeLongest(), other.TakeLongest());
    const auto start = Clock::now();
    place.Run(sql);
    state.counters["statement_s"] = MillisecondsSince(start) / 1000;
    state.counters["longest_ms"] = std::max(same.TakeLongest(), other.TakeLongest());
    same.Stop();
    other.Stop();
    state.counters["failed"] = static_cast<double>(same.failed() + other.failed());
  }
}

double CpuSeconds() {
  struct timespec time {};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Of RocksDB's block cache, and of those of segments.
uint64_t CachedBytes(SqlPlace* place) {
  const auto result = place->Connect()->Query(
      "SELECT sum(value)::BIGINT FROM y.system.stats "
      "WHERE name IN ('cache.used_bytes', 'key_filters.used_bytes', 'pages.used_bytes', 'open_segments.used_bytes')");
  if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  return static_cast<uint64_t>(result->GetValue(0, 0).GetValue<int64_t>());
}

// The statement by itself: microseconds of processor time a row, memory above what the table and the cache take.
void Alone(benchmark::State& state, const std::string& sql, bool cold, int64_t rows) {
  for (auto _ : state) {
    StoreOptions options;
    options.durability = Durability::kOs;
    SqlPlace place("large_alone", options);
    place.Run("SET threads = 1");  // others would spin while one thread sorts and writes
    place.Run("CREATE TABLE t (id BIGINT PRIMARY KEY, n INT, v VARCHAR)");
    const std::string all = " SELECT 2 * i, i % 7, 'row ' || i FROM range(" + std::to_string(rows) + ") r(i)";
    place.Run("INSERT INTO t" + all);
    if (cold) place.Run("CALL yarrow_flush('t')");
    place.Run("CREATE TABLE loaded (id BIGINT PRIMARY KEY, n INT, v VARCHAR)");
    const auto measure = [&](const std::string& statement) {
      const double start = CpuSeconds();
      place.Run(statement);
      return (CpuSeconds() - start) / static_cast<double>(rows) * 1e6;
    };
    state.counters["load_us"] = measure("INSERT INTO loaded" + all);
    ReleaseFreeMemory();
    ResetPeakMemory();
    const auto above_caches = [&place](uint64_t memory) {
      return static_cast<double>(memory) - static_cast<double>(CachedBytes(&place));
    };
    const double before = above_caches(CurrentMemory());
    state.counters["us"] = measure(sql);
    state.counters["ratio"] = state.counters["us"] / state.counters["load_us"];
    state.counters["bytes"] = std::max(above_caches(PeakMemory()) - before, 0.0);
  }
}

[[maybe_unused]] const bool registered = [] {
  const std::string more = std::to_string(2 * kRows);
  const std::pair<const char*, std::string> statements[] = {
      {"insert", "INSERT INTO t SELECT " + more + " + 2 * i, 1, 'new' FROM range(" + std::to_string(kRows) + ") r(i)"},
      {"update", "UPDATE t SET n = n + 1 WHERE id % 2 = 0"},
      {"delete", "DELETE FROM t WHERE id % 6 = 0"},
      {"delete_all", "DELETE FROM t WHERE id % 2 = 0"},
  };
  for (const auto& [name, sql] : statements) {
    for (const bool cold : {false, true}) {
      const std::string full = std::string("large/") + name + (cold ? "/cold" : "/hot");
      benchmark::RegisterBenchmark(full.c_str(), BesideOneRowWriters, sql, cold)
          ->Iterations(1)
          ->Unit(benchmark::kSecond)
          ->UseRealTime();
    }
  }
  const int64_t many = 20'000'000;
  for (const auto& [name, sql] : {std::pair("update", "UPDATE t SET n = n + 1"), std::pair("delete", "DELETE FROM t"),
                                  std::pair("delete_where", "DELETE FROM t WHERE n >= 0")}) {
    for (const bool cold : {false, true}) {
      for (const int64_t rows : {kRows, many}) {
        const std::string size = rows == many ? "/20M" : "/1.5M";
        benchmark::RegisterBenchmark((std::string("alone/") + name + (cold ? "/cold" : "/hot") + size).c_str(), Alone,
                                     sql, cold, rows)
            ->Iterations(1)
            ->Unit(benchmark::kSecond);
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
