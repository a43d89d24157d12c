// An application's day: one row at a time, ranges and aggregates over a table of ten million rows, by default and with
// all rows kept hot.
//
// Names: day/<what>/<default|hot>. "recent" rows were written one by one after the load and are hot both ways; "old"
// ones came with the load, and are in segments by default.
#include <benchmark/benchmark.h>

#include <atomic>
#include <duckdb/main/prepared_statement.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "bench_table.h"
#include "sql_place.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kOld = 10'000'000;
constexpr int64_t kRecent = 20'000;

// Loaded, and then written to row by row.
class Day {
 public:
  static Day& Of(const std::string& tiers) {
    static std::map<std::string, std::unique_ptr<Day>> days;
    if (days.empty()) BeforeClose([] { days.clear(); });
    std::unique_ptr<Day>& day = days[tiers];
    if (day == nullptr) day = std::make_unique<Day>(tiers);
    return *day;
  }

  explicit Day(const std::string& tiers)
      : place_("day_" + tiers, {.durability = Durability::kOs}, tiers == "hot" ? Tiers::kHot : Tiers::kByDefault) {
    place_.Run("CREATE TABLE t (id BIGINT PRIMARY KEY, n INT, amount DOUBLE, seen TIMESTAMP, v VARCHAR)");
    place_.Run(
        "INSERT INTO t SELECT i, i % 100, i / 7.0, TIMESTAMP '2026-01-01' + to_seconds(i), 'row number ' || i "
        "FROM range(" +
        std::to_string(kOld) + ") r(i)");
    connection_ = place_.Connect();
    insert_ = connection_->Prepare("INSERT INTO t VALUES (?, 1, 2.5, TIMESTAMP '2026-06-01', 'a new row')");
    get_ = connection_->Prepare("SELECT * FROM t WHERE id = ?");
    update_ = connection_->Prepare("UPDATE t SET n = n + 1 WHERE id = ?");
    range_ = connection_->Prepare("SELECT * FROM t WHERE id BETWEEN ? AND ? + 99");
    for (int64_t i = 0; i < kRecent; ++i) Insert();
  }

  void Insert() { Execute(*insert_, {duckdb::Value::BIGINT(next_++)}); }
  void Get(int64_t id) { Execute(*get_, {duckdb::Value::BIGINT(id)}); }
  void Update(int64_t id) { Execute(*update_, {duckdb::Value::BIGINT(id)}); }
  void Range(int64_t id) { Execute(*range_, {duckdb::Value::BIGINT(id), duckdb::Value::BIGINT(id)}); }
  void Aggregate() { place_.Run("SELECT n, count(*), sum(amount), max(seen) FROM t GROUP BY n"); }

  int64_t AnyOld() { return static_cast<int64_t>(random_() % static_cast<uint64_t>(kOld)); }
  int64_t AnyRecent() { return kOld + static_cast<int64_t>(random_() % static_cast<uint64_t>(kRecent - 100)); }

 private:
  static void Execute(duckdb::PreparedStatement& statement, duckdb::vector<duckdb::Value> values) {
    const auto result = statement.Execute(values, false);
    if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
  }

  SqlPlace place_;
  std::unique_ptr<duckdb::Connection> connection_;
  duckdb::unique_ptr<duckdb::PreparedStatement> insert_, get_, update_, range_;
  int64_t next_ = kOld;
  std::mt19937_64 random_{1};
};

template <class Act>
void OneByOne(benchmark::State& state, const std::string& tiers, Act act) {
  Day& day = Day::Of(tiers);
  for (auto _ : state) act(day);
}

// One row at a time while another connection aggregates all rows again and again.
void Beside(benchmark::State& state, const std::string& tiers) {
  Day& day = Day::Of(tiers);
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) day.Aggregate();
  });
  for (auto _ : state) {
    day.Insert();
    day.Get(day.AnyRecent());
  }
  stop = true;
  reader.join();
}

[[maybe_unused]] const bool registered = [] {
  using Act = void (*)(Day&);
  const std::pair<const char*, Act> acts[] = {
      {"insert", [](Day& d) { d.Insert(); }},
      {"get_recent", [](Day& d) { d.Get(d.AnyRecent()); }},
      {"update_recent", [](Day& d) { d.Update(d.AnyRecent()); }},
      {"range_recent", [](Day& d) { d.Range(d.AnyRecent()); }},
      {"get_old", [](Day& d) { d.Get(d.AnyOld()); }},
      {"range_old", [](Day& d) { d.Range(d.AnyOld()); }},
      {"update_old", [](Day& d) { d.Update(d.AnyOld()); }},
  };
  for (const std::string tiers : {"default", "hot"}) {
    for (const auto& [name, act] : acts) {
      benchmark::RegisterBenchmark((std::string("day/") + name + "/" + tiers).c_str(),
                                   [tiers, act = act](benchmark::State& state) { OneByOne(state, tiers, act); })
          ->Unit(benchmark::kMicrosecond)
          ->UseRealTime();
    }
    benchmark::RegisterBenchmark(
        ("day/aggregate/" + tiers).c_str(),
        [tiers](benchmark::State& state) { OneByOne(state, tiers, [](Day& day) { day.Aggregate(); }); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
    benchmark::RegisterBenchmark(("day/insert_and_get_beside_aggregates/" + tiers).c_str(),
                                 [tiers](benchmark::State& state) { Beside(state, tiers); })
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
