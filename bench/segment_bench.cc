// Segments: writing, scanning, looking up rows of 1M rows x 10 mixed columns (5 int64 in various orders, double, bool,
// timestamp, decimal, 2 short texts of which one has few values; the key is the first).
#include <arrow/api.h>
#include <arrow/io/file.h>
#include <benchmark/benchmark.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "cold/deletion_vector.h"
#include "cold/segment_lookup.h"
#include "cold/segment_scan.h"
#include "cold/segment_writer.h"
#include "key/key_bytes.h"

namespace yarrow::cold {
namespace {

constexpr int64_t kRows = 1'000'000;
constexpr int64_t kBatchOf = 8192;
const std::string kPrefix("\x02\x00\x00\x00\x01", 5);

void Check(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

std::shared_ptr<const RowSchema> MakeSchema() {
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
  for (const ColumnType& type : types) {
    const auto id = static_cast<uint32_t>(options.columns.size() + 1);
    options.columns.push_back({id, "column_" + std::to_string(id), type, id != 1, {}});
    if (id == 1) continue;
    version.column_ids.push_back(id);
    version.types.push_back(type);
  }
  options.versions = {version};
  return RowSchema::Make(options).ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> MakeBatch(const RowSchema& schema, int64_t first, std::mt19937_64& random) {
  static const char* const kWords[] = {"north", "gate 12", "LGA", "delayed", "United Air", "Newark Liberty"};
  auto builder =
      arrow::RecordBatchBuilder::Make(schema.arrow_schema(), arrow::default_memory_pool(), kBatchOf).ValueOrDie();
  for (int64_t i = first; i < std::min(first + kBatchOf, kRows); ++i) {
    const auto number = static_cast<int64_t>(random() >> 20);
    Check(builder->GetFieldAs<arrow::Int64Builder>(0)->Append(i * 3));
    Check(builder->GetFieldAs<arrow::Int64Builder>(1)->Append(number % 100'000));
    Check(builder->GetFieldAs<arrow::Int64Builder>(2)->Append(number));
    Check(builder->GetFieldAs<arrow::Int32Builder>(3)->Append(static_cast<int32_t>(number % 7)));
    Check(builder->GetFieldAs<arrow::DoubleBuilder>(4)->Append(static_cast<double>(number % 1'000'000) / 100));
    Check(builder->GetFieldAs<arrow::BooleanBuilder>(5)->Append(number % 2 == 0));
    Check(builder->GetFieldAs<arrow::TimestampBuilder>(6)->Append(1'700'000'000'000'000 + i * 1000 + number % 1000));
    Check(builder->GetFieldAs<arrow::Decimal128Builder>(7)->Append(arrow::Decimal128(number % 1'000'000)));
    Check(builder->GetFieldAs<arrow::StringBuilder>(8)->Append(kWords[number % 6]));
    Check(builder->GetFieldAs<arrow::StringBuilder>(9)->Append(std::string(kWords[number % 6]) +
                                                               std::to_string(number % 9999)));
  }
  return builder->Flush().ValueOrDie();
}

// The rows, and segments of them in a folder that is removed at the end.
struct Data {
  std::filesystem::path folder;
  std::shared_ptr<const RowSchema> schema = MakeSchema();
  arrow::RecordBatchVector batches;
  std::vector<int> columns;
  SegmentId next_id = 100;

  Data() {
    std::string name = (std::filesystem::temp_directory_path() / "segment_bench_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    std::mt19937_64 random(1);
    for (int64_t first = 0; first < kRows; first += kBatchOf) batches.push_back(MakeBatch(*schema, first, random));
    for (int i = 0; i < 10; ++i) columns.push_back(i);
  }
  ~Data() { std::filesystem::remove_all(folder); }

  WrittenSegment Write(SegmentId id, SegmentLayout layout, std::filesystem::path* path = nullptr) const {
    SegmentWriterOptions options;
    options.layout = layout;
    const auto writer = SegmentWriter::Open(schema, kPrefix, folder, {1, std::nullopt, id}, options).ValueOrDie();
    for (const auto& batch : batches) Check(writer->Write(*batch));
    if (path != nullptr) *path = writer->path();
    return writer->Finish().ValueOrDie();
  }
  // Segment 1 is laid out to scan, segment 2 to look up.
  std::shared_ptr<const Segment> Open(SegmentLayout layout) {
    std::shared_ptr<const Segment>& segment = segments[static_cast<size_t>(layout)];
    if (segment == nullptr) {
      const auto id = static_cast<SegmentId>(layout);
      segment = Segment::Open(folder, {1, std::nullopt, id}, Write(id, layout).info).ValueOrDie();
    }
    return segment;
  }
  std::shared_ptr<const Segment> segments[3];
};

Data& TheData() {
  static Data data;
  return data;
}

std::string KeyOf(int64_t id) {
  std::string key = kPrefix;
  AppendBigEndian(static_cast<uint64_t>(id) ^ (uint64_t{1} << 63), &key);
  return key;
}

void Write(benchmark::State& state, SegmentLayout layout) {
  Data& data = TheData();
  double megabytes = 0;
  for (auto _ : state) {
    std::filesystem::path path;
    megabytes = static_cast<double>(data.Write(data.next_id++, layout, &path).info.bytes) / 1e6;
    std::filesystem::remove(path);
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["MB"] = megabytes;
}
BENCHMARK_CAPTURE(Write, scan, SegmentLayout::kScan)->Name("segment/write/scan")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Write, lookup, SegmentLayout::kLookup)->Name("segment/write/lookup")->Unit(benchmark::kMillisecond);

// The same batches by Arrow with the same codec and its own defaults, synced as well.
void WriteArrow(benchmark::State& state) {
  Data& data = TheData();
  const std::string path = data.folder / "arrow.parquet";
  for (auto _ : state) {
    const auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::ZSTD)->compression_level(1)->max_row_group_length(122'880);
    const auto writer = parquet::arrow::FileWriter::Open(*data.schema->arrow_schema(), arrow::default_memory_pool(),
                                                         file, properties.build())
                            .ValueOrDie();
    for (const auto& batch : data.batches) Check(writer->WriteRecordBatch(*batch));
    Check(writer->Close());
    ::fsync(file->file_descriptor());
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["MB"] = static_cast<double>(std::filesystem::file_size(path)) / 1e6;
}
BENCHMARK(WriteArrow)->Name("segment/write/arrow")->Unit(benchmark::kMillisecond);

void Scan(benchmark::State& state, std::vector<int> columns) {
  Data& data = TheData();
  for (auto _ : state) {
    SegmentScanOptions options;
    options.columns = columns;
    options.key_prefix = kPrefix;
    options.ranges = {KeyRange{}};
    const auto scan = SegmentScan::Make(data.Open(SegmentLayout::kScan), data.schema, options).ValueOrDie();
    while (scan->Next().ValueOrDie().has_value()) {
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
}
BENCHMARK_CAPTURE(Scan, all, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
    ->Name("segment/scan/10_of_10")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Scan, one, {4})->Name("segment/scan/1_of_10")->Unit(benchmark::kMillisecond);

constexpr uint64_t kCacheBytes = uint64_t{1} << 30;

// One row by key, all ten columns; each time from the file, which the system has in memory.
void LookupUncached(benchmark::State& state, SegmentLayout layout) {
  Data& data = TheData();
  PageCache cache(kCacheBytes);
  const auto lookup = SegmentLookup::Make(data.Open(layout), data.schema, kPrefix, data.columns, &cache).ValueOrDie();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    cache.SetBudget(0);
    cache.SetBudget(kCacheBytes);
    const auto position = lookup->Find(KeyOf(static_cast<int64_t>(random() % kRows) * 3)).ValueOrDie();
    benchmark::DoNotOptimize(lookup->ReadRow(*position).ValueOrDie());
  }
}
BENCHMARK_CAPTURE(LookupUncached, scan, SegmentLayout::kScan)
    ->Name("segment/lookup/scan")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(LookupUncached, lookup, SegmentLayout::kLookup)
    ->Name("segment/lookup/lookup")
    ->Unit(benchmark::kMicrosecond);

// The same from the cache, by any number of threads.
void LookupCached(benchmark::State& state) {
  Data& data = TheData();
  static PageCache cache(kCacheBytes);
  static const auto lookup =
      SegmentLookup::Make(data.Open(SegmentLayout::kScan), data.schema, kPrefix, data.columns, &cache).ValueOrDie();
  if (state.thread_index() == 0) {
    for (uint64_t position = 0; position < kRows; position += 10'000) Check(lookup->ReadRow(position).status());
  }
  std::mt19937_64 random(static_cast<uint64_t>(state.thread_index()));
  for (auto _ : state) {
    const auto position = lookup->Find(KeyOf(static_cast<int64_t>(random() % kRows) * 3)).ValueOrDie();
    benchmark::DoNotOptimize(lookup->ReadRow(*position).ValueOrDie());
  }
}
BENCHMARK(LookupCached)
    ->Name("segment/lookup/cached")
    ->Unit(benchmark::kMicrosecond)
    ->Threads(1)
    ->Threads(8)
    ->UseRealTime();

void AskKeyFilter(benchmark::State& state) {
  std::vector<uint64_t> hashes;
  for (int64_t i = 0; i < kRows; ++i) hashes.push_back(KeyFilter::Hash(KeyOf(i)));
  const KeyFilter filter = KeyFilter::Build(hashes);
  int64_t next = kRows;
  for (auto _ : state) benchmark::DoNotOptimize(filter.MayContain(KeyFilter::Hash(KeyOf(next++))));
}
BENCHMARK(AskKeyFilter)->Name("segment/key_filter");

// A batch of all columns less 1 % of its rows.
void Delete(benchmark::State& state) {
  Data& data = TheData();
  DeletionVector::Builder builder;
  for (uint64_t position = 50; position < kRows; position += 100) Check(builder.Add(position));
  const DeletionVector dropped = builder.Finish();
  for (auto _ : state) benchmark::DoNotOptimize(dropped.Filter(data.batches[3], 3 * kBatchOf).ValueOrDie());
  state.SetItemsProcessed(state.iterations() * kBatchOf);
}
BENCHMARK(Delete)->Name("segment/delete_1_percent")->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace yarrow::cold
