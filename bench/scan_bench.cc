// Reading tables, against a bare RocksDB iterator over the same rows, the collecting way of the first release, and
// SQLite.
//
// Names: read/<what>/<how>/<state>. <how> is `table` for Table::Scan or Get, `bare` for the plain RocksDB loop,
// `collect` for the first release's way. The bare loop touches the first byte of each value, as anything that reads
// rows must.
#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <benchmark/benchmark.h>
#include <rocksdb/db.h>

#include <ranges>

#include "allocation_count.h"
#include "bench_table.h"
#include "store/system_partition.h"
#include "yarrow/entity_store.h"

namespace yarrow::bench {
namespace {

namespace cp = arrow::compute;
constexpr int64_t kMillion = 1'000'000;

TableShape Shape(TableState state, bool wide = false, int64_t rows = kMillion) {
  return {.rows = rows, .wide = wide, .state = state};
}

void PerRow(benchmark::State& state, int64_t rows) {
  state.counters["ns_per_row"] = benchmark::Counter(
      static_cast<double>(rows) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

int64_t Drain(const Table& table, const ScanOptions& options) {
  auto scan = Check(table.Scan(options));
  int64_t rows = 0;
  std::shared_ptr<arrow::RecordBatch> batch;
  while (true) {
    Check(scan->ReadNext(&batch));
    if (batch == nullptr) return rows;
    rows += batch->num_rows();
    benchmark::DoNotOptimize(batch);
  }
}

void ScanTable(benchmark::State& state, TableShape shape, ScanOptions options) {
  const BenchTable& bench = GetTable(shape);
  Drain(*bench.table, options);  // warms the cache
  int64_t rows = 0;
  for (auto _ : state) rows = Drain(*bench.table, options);
  PerRow(state, bench.rows);
  state.counters["rows"] = static_cast<double>(rows);
}

void ScanBare(benchmark::State& state, TableShape shape, int64_t limit) {
  const BenchTable& bench = GetTable(shape);
  BareScan(bench, limit);
  for (auto _ : state) BareScan(bench, limit);
  PerRow(state, bench.rows);
}

void GetRow(benchmark::State& state, TableShape shape) {
  const BenchTable& bench = GetTable(shape);
  const int64_t last = shape.rows;
  int64_t id = 0;
  for (auto _ : state) {
    id = (id + 7919) % last;
    auto row = Check(bench.table->Get({id}));
    benchmark::DoNotOptimize(row);
  }
}

void GetBare(benchmark::State& state, TableShape shape) {
  const BenchTable& bench = GetTable(shape);
  const int64_t last = shape.rows;
  int64_t id = 0;
  rocksdb::PinnableSlice value;
  for (auto _ : state) {
    id = (id + 7919) % last;
    value.Reset();
    const auto status = bench.db->Get(rocksdb::ReadOptions(), bench.family, bench.Key(id), &value);
    benchmark::DoNotOptimize(value.data());
  }
}

void WhereId(benchmark::State& state, TableShape shape) {
  const BenchTable& bench = GetTable(shape);
  const int64_t last = shape.rows;
  int64_t id = 0;
  for (auto _ : state) {
    id = (id + 7919) % last;
    ScanOptions options;
    options.filter = cp::equal(cp::field_ref("id"), cp::literal(id));
    benchmark::DoNotOptimize(Drain(*bench.table, options));
  }
}

// The deprecated way, over the same rows.
void CollectTable(benchmark::State& state, TableShape shape) {
  const BenchTable& bench = GetTable(shape);
  for (auto _ : state) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    auto batch = Check(bench.table->ScanAll());
#pragma GCC diagnostic pop
    benchmark::DoNotOptimize(batch);
  }
}

// Bytes that `ScanIter() | take(10)` allocates above a bare iterator doing the same.
void ScanIterAllocations(benchmark::State& state) {
  const BenchTable& bench = GetTable(Shape(TableState::kFresh));
  const std::shared_ptr<Store>& store = bench.database->store();
  const EntityStore<std::string_view, std::string_view> entities(store, Check(OpenSystemPartition(*store, "rows")));
  uint64_t ours = 0, bare = 0;
  for (auto _ : state) {
    uint64_t before = AllocatedBytes();
    int64_t rows = 0;
    {
      for (const auto& entry : entities.ScanPrefixIter(bench.prefix) | std::views::take(10)) {
        rows += static_cast<int64_t>(!entry.value_bytes().empty());
      }
    }
    ours = AllocatedBytes() - before;
    if (rows != 10) Check(arrow::Status::Invalid("take(10) gave ", rows, " rows"));
    before = AllocatedBytes();
    BareScan(bench, 10);
    bare = AllocatedBytes() - before;
  }
  state.counters["bytes_above_rocksdb"] = static_cast<double>(ours) - static_cast<double>(bare);
  state.counters["bytes_of_rocksdb"] = static_cast<double>(bare);
}

// Resident memory that a full scan adds to a warm process.
void ScanMemory(benchmark::State& state, int64_t rows, int threads) {
  const BenchTable& bench = GetTable(Shape(TableState::kFresh, false, rows));
  ScanOptions options;
  options.threads = threads;
  Drain(*bench.table, options);
  double most = 0;
  for (auto _ : state) {
    ReleaseFreeMemory();
    ResetPeakMemory();
    const uint64_t before = CurrentMemory();
    Drain(*bench.table, options);
    most = std::max(most, (static_cast<double>(PeakMemory()) - static_cast<double>(before)) / (1 << 20));
  }
  state.counters["MB"] = most;
}

ScanOptions Columns(std::vector<std::string> columns) {
  ScanOptions options;
  options.columns = std::move(columns);
  return options;
}

ScanOptions Limit(int64_t limit) {
  ScanOptions options;
  options.limit = limit;
  return options;
}

ScanOptions Threads(int threads, bool ordered) {
  ScanOptions options;
  options.threads = threads;
  options.ordered = ordered;
  return options;
}

ScanOptions Filter(cp::Expression filter) {
  ScanOptions options;
  options.filter = std::move(filter);
  return options;
}

void RegisterState(TableState table_state, const std::string& suffix) {
  using benchmark::RegisterBenchmark;
  const auto add = [&](const std::string& name, auto function, auto... arguments) {
    return RegisterBenchmark(("read/" + name + "/" + suffix).c_str(), function, arguments...);
  };
  const TableShape shape = Shape(table_state), wide = Shape(table_state, true), small = Shape(table_state, false, 1000);
  constexpr int64_t kAll = INT64_MAX;
  add("limit_10/table", ScanTable, shape, Limit(10))->Unit(benchmark::kMicrosecond);
  add("limit_10/bare", ScanBare, shape, int64_t{10})->Unit(benchmark::kMicrosecond);
  add("get/table", GetRow, shape)->Unit(benchmark::kMicrosecond);
  add("get/bare", GetBare, shape)->Unit(benchmark::kMicrosecond);
  add("where_id/table", WhereId, shape)->Unit(benchmark::kMicrosecond);
  add("1_of_20/table", ScanTable, wide, Columns({"c1"}))->Unit(benchmark::kMillisecond);
  add("20_of_20/bare", ScanBare, wide, kAll)->Unit(benchmark::kMillisecond);
  add("10_of_10/table", ScanTable, shape, ScanOptions())->Unit(benchmark::kMillisecond);
  add("10_of_10/bare", ScanBare, shape, kAll)->Unit(benchmark::kMillisecond);
  const auto rare = cp::equal(cp::field_ref("c0"), cp::literal(int64_t{7}));
  add("filter/table", ScanTable, shape, Filter(rare))->Unit(benchmark::kMillisecond);
  add("2_threads/table", ScanTable, shape, Threads(2, true))->Unit(benchmark::kMillisecond)->UseRealTime();
  add("2_threads_unordered/table", ScanTable, shape, Threads(2, false))->Unit(benchmark::kMillisecond)->UseRealTime();
  add("1_thread/table", ScanTable, shape, Threads(1, true))->Unit(benchmark::kMillisecond)->UseRealTime();
  add("1000_all/table", ScanTable, small, ScanOptions())->Unit(benchmark::kMicrosecond);
  add("1000_all/collect", CollectTable, small)->Unit(benchmark::kMicrosecond);
  add("1000_id/table", ScanTable, small, Columns({"id"}))->Unit(benchmark::kMicrosecond);
  // Seconds each: once is enough for a ratio of thousands.
  add("collect/collect", CollectTable, shape)->Unit(benchmark::kMillisecond)->Iterations(1)->Repetitions(1);
}

[[maybe_unused]] const bool registered = [] {
  RegisterState(TableState::kFresh, "fresh");
  RegisterState(TableState::kAged, "aged");
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("read/scan_iter_take_10", ScanIterAllocations)->Iterations(100);
  for (int64_t rows : {int64_t{1000}, kMillion, 10 * kMillion}) {
    const std::string size = rows == 1000 ? "1000" : std::to_string(rows / kMillion) + "M";
    RegisterBenchmark(("read/limit_10_of/" + size).c_str(), ScanTable, Shape(TableState::kFresh, false, rows),
                      Limit(10))
        ->Unit(benchmark::kMicrosecond);
    RegisterBenchmark(("read/where_id_of/" + size).c_str(), WhereId, Shape(TableState::kFresh, false, rows))
        ->Unit(benchmark::kMicrosecond);
    if (rows == 1000) continue;
    for (int threads : {1, 2}) {
      RegisterBenchmark(("read/memory_of/" + size + "/threads:" + std::to_string(threads)).c_str(), ScanMemory, rows,
                        threads)
          ->Unit(benchmark::kMillisecond)
          ->Iterations(1);
    }
  }
  return true;
}();

}  // namespace
}  // namespace yarrow::bench
