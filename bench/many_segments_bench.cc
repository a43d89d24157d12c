// Tables with thousands of segments and users, in a process that may open 256 files.
//
// Names: segments/<what>. Most figures are counters: ratios to the same of a table with few segments, or bytes.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "allocation_count.h"
#include "bench_table.h"
#include "sql_place.h"
#include "yarrow/flush.h"
#include "yarrow/table.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kSegments = 10'000;
constexpr int64_t kRowsASegment = 10;

double SecondsOf(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A process that may open 256 files, and a database.
class Place : public SqlPlace {
 public:
  explicit Place(const std::string& name) : SqlPlace(name, Limited()) {
    Check(database()->SetSetting("background_jobs", "0"));  // merges would run beside what is measured
  }
  void MakeTable(const std::string& name, int64_t segments) {
    const int64_t rows = kSegments * kRowsASegment;
    Run("CREATE TABLE " + name + " (id BIGINT PRIMARY KEY, n INT, v VARCHAR)");
    Run("INSERT INTO " + name + " SELECT i, i % 7, 'row ' || i FROM range(" + std::to_string(rows) + ") r(i)");
    if (segments > 0) {
      Run("CALL yarrow_flush('" + name + "', max_segment_rows = " + std::to_string(rows / segments) + ")");
    }
  }

 private:
  static StoreOptions Limited() {
    struct rlimit limit {};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 256;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    StoreOptions options;
    options.durability = Durability::kOs;
    return options;
  }
};

// Medians of rounds in turn, over those of the table without segments (or with one).
void InsertBehindAll(benchmark::State& state) {
  constexpr int kRounds = 5;
  constexpr int64_t kRows = 300'000;
  for (auto _ : state) {
    Place place("segments_insert");
    place.MakeTable("hot", 0);
    place.MakeTable("cold", kSegments);
    std::vector<double> hot, cold;
    for (int round = 1; round <= kRounds; ++round) {
      for (auto& [name, times] : {std::pair("hot", &hot), std::pair("cold", &cold)}) {
        times->push_back(SecondsOf([&, table = name] {
          place.Run(std::string("INSERT INTO ") + table + " SELECT i, 1, 'new' FROM range(" +
                    std::to_string(round * kRows) + ", " + std::to_string((round + 1) * kRows) + ") r(i)");
        }));
      }
    }
    std::ranges::sort(hot), std::ranges::sort(cold);
    state.counters["ratio"] = cold[kRounds / 2] / hot[kRounds / 2];
  }
}

// Opening a database with a table of all the segments, to the first row by SQL.
// With the table, made once: it takes longer than all that is measured.
Place& Segments() {
  static std::unique_ptr<Place> place;
  if (place != nullptr) return *place;
  place = std::make_unique<Place>("segments_read");
  BeforeClose([] { place.reset(); });
  place->MakeTable("cold", kSegments);
  return *place;
}

void OpenAndLook(benchmark::State& state) {
  Place& place = Segments();
  for (auto _ : state) {
    state.PauseTiming();
    place.Close();
    state.ResumeTiming();
    place.Open();
    place.Run("SELECT * FROM cold WHERE id = 77777");
  }
}

void ReadAll(benchmark::State& state, const std::string& sql) {
  Place& place = Segments();
  for (auto _ : state) place.Run(sql);
}

// Each user has a few rows, all of which a flush moves to a segment of the user's own.
double FlushUsers(int64_t users, double* peak_bytes) {
  Place place("segments_users");
  place.Run("CREATE TABLE visits (id BIGINT PRIMARY KEY, page VARCHAR) WITH (kind = 'user')");
  for (int64_t user = 0; user < users; ++user) {
    const auto session = Check(place.database()->OpenSession({.user = "user " + std::to_string(user)}));
    const auto table = Check(session->OpenTable("visits"));
    for (int64_t id = 0; id < kRowsASegment; ++id) Check(table->Put({id, "page"}));
  }
  const auto table = Check(Check(place.database()->OpenSession())->OpenTable("visits"));
  ReleaseFreeMemory();
  ResetPeakMemory();
  const uint64_t before = CurrentMemory();
  const double seconds = SecondsOf([&] { Check(table->Flush({.min_user_rows = 0}).status()); });
  *peak_bytes = static_cast<double>(PeakMemory() - before);
  return seconds;
}

// A user's share of the time, over that of a tenth of the users; bytes of memory that the flush takes.
void Users(benchmark::State& state) {
  for (auto _ : state) {
    double bytes = 0;
    const double few = FlushUsers(kSegments / 10, &bytes);
    const double many = FlushUsers(kSegments, &bytes);
    state.counters["seconds"] = many;
    state.counters["ratio"] = many / few / 10;
    state.counters["bytes"] = bytes;
  }
}

[[maybe_unused]] const bool registered = [] {
  using benchmark::RegisterBenchmark;
  const auto once = [](const char* name, void (*run)(benchmark::State&)) {
    RegisterBenchmark(name, run)->Iterations(1)->Repetitions(1)->Unit(benchmark::kSecond)->UseRealTime();
  };
  once("segments/insert", InsertBehindAll);
  once("segments/users", Users);
  RegisterBenchmark("segments/open", OpenAndLook)->Unit(benchmark::kMillisecond);
  for (const auto& [name, sql] : {std::pair("sum", "SELECT count(*), sum(n) FROM cold"),
                                  std::pair("ordered", "SELECT * FROM cold ORDER BY id LIMIT 1000 OFFSET 50000"),
                                  std::pair("lookup", "SELECT * FROM cold WHERE id = 55555")}) {
    RegisterBenchmark((std::string("segments/") + name).c_str(), ReadAll, sql)->Unit(benchmark::kMillisecond);
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
