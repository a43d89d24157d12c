// A table as a queue: rows come at its end and go at its front, so what a scan begins with was deleted.
//
// Names: queue/<what>/<how>. `fresh` is a table to which the same rows were just added. SQL text is prepared; commits
// are not synced, so that jobs pass quickly.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/main/prepared_statement.hpp>
#include <vector>

#include "bench_table.h"
#include "sql/duckdb_instance.h"
#include "yarrow/sql.h"
#include "yarrow/table.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kWaiting = 10'000;  // rows in the queue
constexpr const char* kFirst = "SELECT id, body FROM q ORDER BY id LIMIT 1";
constexpr const char* kNewest = "SELECT id, body FROM q ORDER BY id DESC LIMIT 20";

// YARROW_BENCH_JOBS=10000000 takes ten minutes.
int64_t Jobs() {
  const char* const text = std::getenv("YARROW_BENCH_JOBS");
  return text == nullptr ? 500'000 : std::atoll(text);
}

// A database with a queue q, its rows numbered from `first`.
class Queue {
 public:
  Queue(const std::string& name, int64_t first) : folder_(DataFolder() / name), next_(first) {
    StoreOptions options;
    options.durability = Durability::kOs;
    database_ = Check(Database::Open(folder_, options));
    KeepRowsHot(database_.get());
    duckdb_ = sql::OpenDuckDb();
    Check(sql::Attach(*duckdb_, database_, "y"));
    connection_ = std::make_unique<duckdb::Connection>(*duckdb_);
    Run("USE y");
    Run("CREATE TABLE q (id BIGINT PRIMARY KEY, body VARCHAR)");
    table_ = Check(Check(database_->OpenSession())->OpenTable("q"));
    first_ = connection_->Prepare(kFirst);
  }
  ~Queue() {
    first_.reset(), table_.reset();
    connection_.reset(), duckdb_.reset(), database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Run(const std::string& sql) {
    const auto result = connection_->Query(sql);
    if (result->HasError()) Check(arrow::Status::Invalid(sql, ": ", result->GetError()));
  }
  void Add(int64_t rows) {
    Run("INSERT INTO q SELECT i, 'job ' || i FROM range(" + std::to_string(next_) + ", " +
        std::to_string(next_ + rows) + ") r(i)");
    next_ += rows;
  }
  void AddOne() { Check(table_->Put({next_, "job " + std::to_string(next_)})), ++next_; }
  int64_t First() { return Execute(*first_, {})->GetValue(0, 0).GetValue<int64_t>(); }
  void Delete(int64_t id) { Check(table_->Delete({Value(id)}).status()); }

  std::unique_ptr<duckdb::PreparedStatement> Prepare(const std::string& sql) { return connection_->Prepare(sql); }
  duckdb::unique_ptr<duckdb::MaterializedQueryResult> Execute(duckdb::PreparedStatement& statement,
                                                              duckdb::vector<duckdb::Value> values) {
    auto result = statement.Execute(values, /*allow_stream_result=*/false);
    if (result->HasError()) Check(arrow::Status::Invalid(result->GetError()));
    return duckdb::unique_ptr_cast<duckdb::QueryResult, duckdb::MaterializedQueryResult>(std::move(result));
  }

 private:
  const std::filesystem::path folder_;
  int64_t next_;
  std::shared_ptr<Database> database_;
  std::unique_ptr<duckdb::DuckDB> duckdb_;
  std::unique_ptr<duckdb::Connection> connection_;
  std::shared_ptr<Table> table_;
  std::unique_ptr<duckdb::PreparedStatement> first_;
};

void Measure(benchmark::State& state, const std::string& how, const std::string& sql) {
  Queue queue("queue_" + how, 0);
  queue.Add(how == "fresh" ? kWaiting : 30 * kWaiting);
  if (how == "taken") queue.Run("DELETE FROM q WHERE id < " + std::to_string(29 * kWaiting));
  if (how == "flushed") queue.Run("CALL yarrow_flush('q')");
  const auto statement = queue.Prepare(sql);
  for (auto _ : state) benchmark::DoNotOptimize(queue.Execute(*statement, {}));
}

// Jobs pass one by one: each is put, and the first one looked for and deleted. Beside each look the same is asked of a
// table just filled, so that both have the machine as it is then. Counters: microseconds of the latter, and how many
// times as long the looks took, all of them and the thousand in a row that took longest.
void Pass(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  const auto look = [](Queue& queue, double* micros) {
    const Clock::time_point start = Clock::now();
    const int64_t first = queue.First();
    *micros += std::chrono::duration<double, std::micro>(Clock::now() - start).count();
    return first;
  };
  constexpr int64_t kWindow = 1'000, kJobsALook = 10;
  double fresh = 0, passed = 0, longest = 0;
  for (auto _ : state) {
    Queue filled("queue_fresh", 0), queue("queue_passed", 0);
    filled.Add(kWaiting);
    queue.Add(kWaiting);
    double fresh_window = 0, window = 0;
    for (int64_t job = 0; job < Jobs(); ++job) {
      queue.AddOne();
      if (job % kJobsALook == 0) {
        if (look(queue, &window) != job) Check(arrow::Status::Invalid("not the first job"));
        (void)look(filled, &fresh_window);
      }
      queue.Delete(job);
      if ((job + 1) % (kWindow * kJobsALook) != 0) continue;
      fresh += fresh_window;
      passed += window;
      longest = std::max(longest, window / fresh_window);
      fresh_window = window = 0;
    }
  }
  state.counters["fresh_us"] = fresh / static_cast<double>(Jobs() / kJobsALook);
  state.counters["passed"] = passed / fresh;
  state.counters["longest"] = longest;
}

[[maybe_unused]] const bool registered = [] {
  using benchmark::RegisterBenchmark;
  for (const std::string how : {"fresh", "taken", "flushed"}) {
    RegisterBenchmark(("queue/first/" + how).c_str(), Measure, how, kFirst)->Unit(benchmark::kMicrosecond);
    RegisterBenchmark(("queue/newest/" + how).c_str(), Measure, how, kNewest)->Unit(benchmark::kMicrosecond);
  }
  RegisterBenchmark("queue/jobs", Pass)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1)->Repetitions(1);
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
