// Batches: encoded rows to Arrow and back, against the ways of baseline_collect.h.
//
// Rows have 10 mixed columns (3 int64, int32, double, bool, timestamp, decimal, 2 short texts; the first is the key) or
// 20 of them (each type twice). One in `null share` cells of the other columns is NULL.
#include <arrow/api.h>
#include <benchmark/benchmark.h>

#include <random>

#include "baseline_collect.h"
#include "batch/batch_builder.h"
#include "batch/row_encoder.h"
#include "yarrow/batch.h"

namespace yarrow::bench {
namespace {

constexpr int64_t kRows = 1000;
const std::string kPrefix("\x02\x00\x00\x00\x01", 5);

struct Rows {
  std::shared_ptr<const RowSchema> schema;
  std::vector<std::vector<Value>> values;
  std::unique_ptr<std::string> block =
      std::make_unique<std::string>();  // keys and rows, one after the other as in RocksDB
  std::vector<EncodedRow> encoded;      // into it
  std::vector<RowMap> maps;
  std::vector<std::string> json;
  std::vector<int> all_columns;
};

void Check(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

std::shared_ptr<const RowSchema> MakeSchema(int repeats) {
  const ColumnType types[] = {TypeId::kInt64,
                              TypeId::kInt64,
                              TypeId::kInt64,
                              TypeId::kInt32,
                              TypeId::kDouble,
                              TypeId::kBool,
                              ColumnType::Timestamp(TimeUnit::kMicro),
                              ColumnType::Decimal(12, 2),
                              TypeId::kUtf8,
                              TypeId::kUtf8};
  RowSchema::Options options;
  options.table_name = "bench.rows";
  options.key_prefix_size = kPrefix.size();
  options.key_column_ids = {1};
  RowVersion version{1, {}, {}};
  for (int r = 0; r < repeats; ++r) {
    for (const ColumnType& type : types) {
      const auto id = static_cast<uint32_t>(options.columns.size() + 1);
      options.columns.push_back({id, "column_" + std::to_string(id), type, id != 1, {}});
      if (id == 1) continue;
      version.column_ids.push_back(id);
      version.types.push_back(type);
    }
  }
  options.versions = {version};
  return RowSchema::Make(options).ValueOrDie();
}

Value RandomValue(const ColumnType& type, std::mt19937_64& random) {
  static const char* const kWords[] = {"north", "gate 12", "LGA", "delayed", "United Air", "Newark Liberty"};
  const auto number = static_cast<int64_t>(random() >> 20);
  switch (type.id) {
    case TypeId::kBool:
      return Value(number % 2 == 0);
    case TypeId::kInt32:
      return Value(static_cast<int32_t>(number));
    case TypeId::kDouble:
      return Value(static_cast<double>(number) / 1000);
    case TypeId::kDecimal128:
      return Value(Decimal{number % 1000000000, type.scale});
    case TypeId::kUtf8:
      return Value(std::string(kWords[number % 6]) + std::to_string(number % 100));
    default:
      return Value(number);
  }
}

// `null_share`: one cell in so many is NULL; 0: none.
Rows MakeRows(int repeats, int null_share) {
  Rows rows;
  rows.schema = MakeSchema(repeats);
  std::mt19937_64 random(1);
  RowEncoder encoder(rows.schema, kPrefix);
  std::string key;
  std::string row;
  std::vector<std::pair<size_t, size_t>> sizes;
  const auto& columns = rows.schema->columns();
  for (size_t c = 0; c < columns.size(); ++c) rows.all_columns.push_back(static_cast<int>(c));
  for (int64_t i = 0; i < kRows; ++i) {
    std::vector<Value> values;
    for (const RowColumn& column : columns) {
      const bool is_null = column.nullable && null_share > 0 && random() % static_cast<uint64_t>(null_share) == 0;
      values.push_back(is_null ? Value() : column.nullable ? RandomValue(column.type, random) : Value(i));
      values.back() = values.back().CastTo(column.type).ValueOrDie();
    }
    Check(encoder.EncodeValues(values, &key, &row));
    sizes.emplace_back(key.size(), row.size());
    rows.block->append(key).append(row);
    rows.maps.push_back(RowToMap(*rows.schema, values));
    rows.json.push_back(RowToJson(*rows.schema, values));
    rows.values.push_back(std::move(values));
  }
  std::string_view rest = *rows.block;
  for (const auto& [key_size, row_size] : sizes) {
    rows.encoded.emplace_back(rest.substr(0, key_size), rest.substr(key_size, row_size));
    rest.remove_prefix(key_size + row_size);
  }
  return rows;
}

void CountRows(benchmark::State& state, int64_t rows) {
  state.SetItemsProcessed(state.iterations() * rows);
  state.counters["ns_per_row"] = benchmark::Counter(
      static_cast<double>(rows) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

std::shared_ptr<arrow::RecordBatch> Build(BatchBuilder& builder, const std::vector<EncodedRow>& rows) {
  Check(builder.Reserve(static_cast<int64_t>(rows.size())));
  for (const auto& [key, row] : rows) {
    Check(builder.Append(key, row));
  }
  return builder.Finish().ValueOrDie();
}

std::unique_ptr<BatchBuilder> MakeBuilder(const Rows& rows, const std::vector<int>& columns) {
  return BatchBuilder::Make(rows.schema, columns, ProjectedSchema(*rows.schema, columns)).ValueOrDie();
}

// ---- column building, 1,000 rows x 10 mixed columns

void ColumnBuildBuilder(benchmark::State& state) {
  const Rows rows = MakeRows(1, static_cast<int>(state.range(0)));
  const auto builder = MakeBuilder(rows, rows.all_columns);
  for (auto _ : state) benchmark::DoNotOptimize(Build(*builder, rows.encoded));
  CountRows(state, kRows);
}

void ColumnBuildMaps(benchmark::State& state) {
  const Rows rows = MakeRows(1, static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(CollectMaps(*rows.schema, rows.all_columns, rows.maps).ValueOrDie());
  CountRows(state, kRows);
}

void ColumnBuildEncoded(benchmark::State& state) {
  const Rows rows = MakeRows(1, static_cast<int>(state.range(0)));
  for (auto _ : state)
    benchmark::DoNotOptimize(CollectEncoded(*rows.schema, rows.all_columns, rows.encoded).ValueOrDie());
  CountRows(state, kRows);
}

// What the note's scan does in full: parse each stored row, collect, build.
void ColumnBuildJson(benchmark::State& state) {
  const Rows rows = MakeRows(1, static_cast<int>(state.range(0)));
  for (auto _ : state) {
    std::vector<RowMap> maps;
    for (const std::string& json : rows.json) maps.push_back(RowFromJson(*rows.schema, json).ValueOrDie());
    benchmark::DoNotOptimize(CollectMaps(*rows.schema, rows.all_columns, maps).ValueOrDie());
  }
  CountRows(state, kRows);
}

BENCHMARK(ColumnBuildBuilder)->Name("column_build/builder")->ArgName("null_share")->Arg(0)->Arg(10);
BENCHMARK(ColumnBuildMaps)->Name("column_build/maps")->ArgName("null_share")->Arg(0)->Arg(10);
BENCHMARK(ColumnBuildEncoded)->Name("column_build/by_column")->ArgName("null_share")->Arg(0)->Arg(10);
BENCHMARK(ColumnBuildJson)->Name("column_build/json_maps")->ArgName("null_share")->Arg(0);

// ---- projection: the first `columns` of 20

void Decode(benchmark::State& state) {
  const Rows rows = MakeRows(2, 0);
  std::vector<int> columns = rows.all_columns;
  // One column of twenty is a double in the middle of the row.
  if (state.range(0) < 20) columns = {4};
  const auto builder = MakeBuilder(rows, columns);
  const uint64_t before = builder->bytes_decoded();
  for (auto _ : state) benchmark::DoNotOptimize(Build(*builder, rows.encoded));
  CountRows(state, kRows);
  state.counters["bytes_decoded"] =
      static_cast<double>((builder->bytes_decoded() - before) / static_cast<uint64_t>(state.iterations()));
}
BENCHMARK(Decode)->Name("decode")->ArgName("columns_of_20")->Arg(1)->Arg(20);

// ---- small batches: what LIMIT 10 pays

void LimitTen(benchmark::State& state) {
  Rows rows = MakeRows(1, 0);
  rows.encoded.resize(10);
  const auto builder = MakeBuilder(rows, rows.all_columns);
  for (auto _ : state) benchmark::DoNotOptimize(Build(*builder, rows.encoded));
  CountRows(state, 10);
}
BENCHMARK(LimitTen)->Name("limit_10/builder");

// ---- batch creation

template <auto Create>
void CreateBatch(benchmark::State& state) {
  const Rows rows = MakeRows(1, 0);
  const auto builder = MakeBuilder(rows, rows.all_columns);
  const std::shared_ptr<arrow::RecordBatch> batch = Build(*builder, rows.encoded);
  const std::vector<std::shared_ptr<arrow::ArrayData>> columns = batch->column_data();
  for (auto _ : state) benchmark::DoNotOptimize(Create(batch->schema(), columns, batch->num_rows()).ValueOrDie());
}
BENCHMARK(CreateBatch<CreateBatchTrusted>)->Name("create_batch/trusted");
BENCHMARK(CreateBatch<CreateBatchValidated>)->Name("create_batch/validated");

// ---- encoding

void EncodeBatch(benchmark::State& state) {
  const Rows rows = MakeRows(1, static_cast<int>(state.range(0)));
  const auto batch = Build(*MakeBuilder(rows, rows.all_columns), rows.encoded);
  RowEncoder encoder(rows.schema, kPrefix);
  std::string key;
  std::string row;
  for (auto _ : state) {
    Check(encoder.BindBatch(*batch));
    for (int64_t i = 0; i < kRows; ++i) {
      Check(encoder.EncodeRow(i, &key, &row));
      benchmark::DoNotOptimize(row.data());
    }
  }
  CountRows(state, kRows);
}
BENCHMARK(EncodeBatch)->Name("encode/batch")->ArgName("null_share")->Arg(0)->Arg(10);

void EncodeValues(benchmark::State& state) {
  const Rows rows = MakeRows(1, 0);
  RowEncoder encoder(rows.schema, kPrefix);
  std::string key;
  std::string row;
  for (auto _ : state) {
    for (const std::vector<Value>& values : rows.values) {
      Check(encoder.EncodeValues(values, &key, &row));
      benchmark::DoNotOptimize(row.data());
    }
  }
  CountRows(state, kRows);
}
BENCHMARK(EncodeValues)->Name("encode/values");

}  // namespace
}  // namespace yarrow::bench
