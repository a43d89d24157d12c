#include "bench_table.h"

#include <benchmark/benchmark.h>

#include <rocksdb/db.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <thread>
#include <tuple>
#include <vector>

#include "key/key_codec.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/store_impl.h"
#include "store/system_partition.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kBatch = 65536;
constexpr int kRepeatedColumns = 9;

std::shared_ptr<arrow::DataType> TypeOf(int column) {
  switch (column % kRepeatedColumns) {
    case 0:
    case 1:
      return arrow::int64();
    case 2:
      return arrow::int32();
    case 3:
      return arrow::float64();
    case 4:
      return arrow::boolean();
    case 5:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case 6:
      return arrow::decimal128(12, 2);
    default:
      return arrow::utf8();
  }
}

// Cheap, well mixed and repeatable: splitmix64 (Steele, Lea, Flood 2014).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

template <class Builder, class Make>
std::shared_ptr<arrow::Array> Build(Builder&& builder, int64_t first, int64_t rows, Make make) {
  Check(builder.Reserve(rows));
  for (int64_t i = 0; i < rows; ++i) Check(builder.Append(make(static_cast<uint64_t>(first + i))));
  return Check(builder.Finish());
}

std::shared_ptr<arrow::Array> MakeColumn(int column, int64_t first, int64_t rows) {
  static const char* const kWords[] = {"north",      "gate 12",        "LGA", "delayed",
                                       "United Air", "Newark Liberty", "EWR", "on time"};
  const auto salt = static_cast<uint64_t>(column) << 48;
  const auto number = [salt](uint64_t id) { return Mix(id ^ salt); };
  switch (column % kRepeatedColumns) {
    case 0:  // about 1,000 distinct values: filters pick 0.1 %
      return Build(arrow::Int64Builder(), first, rows,
                   [&](uint64_t id) { return static_cast<int64_t>(number(id) % 1000); });
    case 1:
      return Build(arrow::Int64Builder(), first, rows,
                   [&](uint64_t id) { return static_cast<int64_t>(number(id) >> 20); });
    case 2:
      return Build(arrow::Int32Builder(), first, rows,
                   [&](uint64_t id) { return static_cast<int32_t>(number(id) % 100000); });
    case 3:
      return Build(arrow::DoubleBuilder(), first, rows,
                   [&](uint64_t id) { return static_cast<double>(number(id) % 1000000) / 64; });
    case 4:
      return Build(arrow::BooleanBuilder(), first, rows, [&](uint64_t id) { return number(id) % 2 == 0; });
    case 5:
      return Build(arrow::TimestampBuilder(TypeOf(column), arrow::default_memory_pool()), first, rows,
                   [](uint64_t id) { return static_cast<int64_t>(1700000000000000 + id * 1000003); });
    case 6:
      return Build(arrow::Decimal128Builder(TypeOf(column)), first, rows,
                   [&](uint64_t id) { return arrow::Decimal128(static_cast<int64_t>(number(id) % 1000000000)); });
    case 7:
      return Build(arrow::StringBuilder(), first, rows,
                   [&](uint64_t id) { return std::string(kWords[number(id) % 8]); });
    default:
      return Build(arrow::StringBuilder(), first, rows,
                   [&](uint64_t id) { return "passenger " + std::to_string(number(id) % 1000000); });
  }
}

class Generator : public arrow::RecordBatchReader {
 public:
  Generator(int64_t first, int64_t rows, bool wide) : next_(first), end_(first + rows), schema_(RowSchemaOf(wide)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    const int64_t rows = std::min(kBatch, end_ - next_);
    if (rows == 0) {
      batch->reset();
      return arrow::Status::OK();
    }
    arrow::ArrayVector columns = {
        Build(arrow::Int64Builder(), next_, rows, [](uint64_t id) { return static_cast<int64_t>(id); })};
    for (int column = 0; column + 1 < schema_->num_fields(); ++column)
      columns.push_back(MakeColumn(column, next_, rows));
    *batch = arrow::RecordBatch::Make(schema_, rows, std::move(columns));
    next_ += rows;
    return arrow::Status::OK();
  }

 private:
  int64_t next_;
  const int64_t end_;
  const std::shared_ptr<arrow::Schema> schema_;
};

std::vector<Value> RowValues(int64_t id, bool wide) {
  auto batch = Check(Check(GenerateRows(id, 1, wide)->ToRecordBatches()).front()->ToStructArray());
  std::vector<Value> values;
  for (const auto& column : batch->fields()) {
    const auto type = Check(ColumnType::FromArrow(*column->type()));
    values.push_back(Check(Value::FromScalar(*Check(column->GetScalar(0)), type)));
  }
  return values;
}

// 10 % updates and 10 % deletes at random places, and the first 2 % deleted, as single commits and small batches would
// leave them: in memtables and level 0, uncompacted.
void Age(BenchTable* bench, int64_t rows, bool wide) {
  std::mt19937_64 random(7);
  auto transaction = Check(bench->session->Begin());
  int64_t writes = 0;
  const auto next_transaction = [&] {
    if (++writes % 20000 != 0) return;
    Check(transaction->Commit());
    transaction = Check(bench->session->Begin());
  };
  for (int64_t i = 0; i < rows / 10; ++i) {
    const auto id = static_cast<int64_t>(random() % static_cast<uint64_t>(rows));
    std::vector<Value> values = RowValues(id + rows, wide);
    values[0] = id;
    Check(transaction->Put(*bench->table, values));
    next_transaction();
  }
  const auto remove = [&](int64_t id) {
    const Value key(id);
    Check(transaction->Delete(*bench->table, ValueList(&key, 1)).status());
    next_transaction();
  };
  for (int64_t i = 0; i < rows / 10; ++i) remove(static_cast<int64_t>(random() % static_cast<uint64_t>(rows)));
  for (int64_t id = 0; id < rows / 50; ++id) remove(id);
  Check(transaction->Commit());
  Check(bench->database->store()->FlushMemtables());
}

std::filesystem::path MakeFolder() {
  const char* chosen = std::getenv("YARROW_BENCH_DIR");
  std::string name = std::string(chosen != nullptr ? chosen : "/tmp") + "/yarrow-bench-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) Check(arrow::Status::IOError("cannot make a folder like ", name));
  return name;
}

using Tables = std::map<std::tuple<int64_t, bool, TableState>, std::unique_ptr<BenchTable>>;
Tables& OpenTables() {
  static Tables tables;
  return tables;
}

}  // namespace

void Check(const arrow::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "benchmark failed: %s\n", status.ToString().c_str());
  std::exit(1);
}

const std::filesystem::path& DataFolder() {
  static const std::filesystem::path folder = MakeFolder();
  return folder;
}

std::shared_ptr<arrow::Schema> RowSchemaOf(bool wide) {
  arrow::FieldVector fields = {arrow::field("id", arrow::int64(), false)};
  const int more = wide ? 19 : kRepeatedColumns;
  for (int column = 0; column < more; ++column)
    fields.push_back(arrow::field("c" + std::to_string(column), TypeOf(column)));
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::RecordBatchReader> GenerateRows(int64_t first, int64_t rows, bool wide) {
  return std::make_shared<Generator>(first, rows, wide);
}

std::string BenchTable::Key(int64_t id) const {
  std::string key = prefix;
  const Value value(id);
  Check(EncodeKeyPart(value, {TypeId::kInt64, false}, &key));
  return key;
}

void KeepRowsHot(Database* database) {
  for (const char* setting : {"rows_to_segment", "flush_bytes"}) Check(database->SetSetting(setting, "0"));
}

static void Locate(uint32_t table_id, BenchTable* bench) {
  Store& store = *bench->database->store();
  bench->db = store.impl()->db.get();
  bench->family = StoreImpl::Handle(Check(OpenSystemPartition(store, "rows")));
  bench->prefix = RecordPrefix(RecordKind::kRow, table_id);
  bench->prefix_end = PrefixSuccessor(bench->prefix);
}

BenchTable StoredRows(const std::shared_ptr<Database>& database, const std::string& table) {
  BenchTable rows;
  rows.database = database;
  Locate(Check(database->FindTable(table))->id, &rows);
  return rows;
}

std::unique_ptr<BenchTable> MakeTable(const std::string& name, const TableShape& shape, const StoreOptions& options) {
  auto bench = std::make_unique<BenchTable>();
  bench->database = Check(Database::Open(DataFolder() / name, options));
  KeepRowsHot(bench->database.get());
  bench->session = Check(bench->database->OpenSession());
  const TableSpec spec = Check(TableSpec::FromArrow("rows", *RowSchemaOf(shape.wide), {"id"}));
  const auto definition = Check(bench->database->CreateTable(spec));
  bench->table = Check(bench->session->OpenTable("rows"));
  auto reader = GenerateRows(0, shape.rows, shape.wide);
  if (shape.rows > 0) Check(bench->table->BulkLoad(reader.get()).status());

  Locate(definition->id, bench.get());
  if (shape.state == TableState::kAged) Age(bench.get(), shape.rows, shape.wide);
  ScanOptions count;
  count.columns.emplace();
  auto scan = Check(bench->table->Scan(count));
  bench->rows = Check(scan->ToTable())->num_rows();
  return bench;
}

void WaitForCompactions(Store& store) {
  using Properties = rocksdb::DB::Properties;
  rocksdb::DB& db = *store.impl()->db;
  rocksdb::ColumnFamilyHandle* const rows = StoreImpl::Handle(Check(OpenSystemPartition(store, "rows")));
  // Compactions that wait for a snapshot to go begin within that time.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  for (uint64_t running = 1, pending = 1; running + pending > 0;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    db.GetIntProperty(Properties::kNumRunningCompactions, &running);
    db.GetIntProperty(rows, Properties::kCompactionPending, &pending);
  }
}

const BenchTable& GetTable(const TableShape& shape) {
  Tables& tables = OpenTables();
  auto& bench = tables[{shape.rows, shape.wide, shape.state}];
  if (!bench) {
    StoreOptions options;
    options.durability = Durability::kOs;
    options.block_cache_bytes = 512 << 20;  // holds a million rows, as the figures are about warm ones
    options.disable_auto_compaction = shape.state == TableState::kAged;
    bench = MakeTable("table-" + std::to_string(tables.size()), shape, options);
  }
  return *bench;
}

int64_t BareScan(const BenchTable& bench, int64_t limit) {
  rocksdb::ReadOptions options;
  const rocksdb::Slice upper(bench.prefix_end);
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(bench.db->NewIterator(options, bench.family));
  int64_t rows = 0;
  uint64_t sum = 0;
  for (it->Seek(bench.prefix); it->Valid() && rows < limit; ++rows) {
    sum += static_cast<uint8_t>(it->value()[0]) + it->key().size();
    if (rows + 1 < limit)
      it->Next();
    else
      break;
  }
  benchmark::DoNotOptimize(sum);
  return rows;
}

static std::vector<std::function<void()>>& Closers() {
  static std::vector<std::function<void()>> closers;
  return closers;
}

void BeforeClose(std::function<void()> close) {
  Closers().push_back(std::move(close));
}

void CloseTables() {
  for (const auto& close : Closers()) close();
  OpenTables().clear();
  std::error_code ignored;
  std::filesystem::remove_all(DataFolder(), ignored);
}

}  // namespace yarrow::bench
