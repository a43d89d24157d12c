#include "segment_fixture.h"

#include <arrow/api.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "cold/row_keys.h"
#include "cold/segment_scan.h"
#include "key/key_bytes.h"
#include "type/type_traits.h"

namespace yarrow::cold::test {

using yarrow::test::TableSpec;

arrow::Result<std::shared_ptr<const RowSchema>> RandomTable(Random& random) {
  const std::vector<ColumnType> types = yarrow::test::AllTypes();
  std::vector<ColumnType> key_types = types;
  std::erase_if(key_types, [](const ColumnType& type) { return !HasOrder(type); });
  TableSpec spec;
  const size_t key_size = 1 + random() % 2;
  const size_t count = key_size + random() % 6;
  for (size_t i = 0; i < count; ++i) {
    const auto id = static_cast<uint32_t>(2 * i + 1);
    const auto& pool = i < key_size ? key_types : types;
    spec.columns.push_back({id, "c.é " + std::to_string(id), pool[random() % pool.size()], i >= key_size, {}});
    if (i < key_size) spec.key_ids.insert(spec.key_ids.begin() + static_cast<ptrdiff_t>(random() % (i + 1)), id);
  }
  std::shuffle(spec.columns.begin(), spec.columns.end(), random);
  return MakeTable(spec);
}

arrow::Result<std::shared_ptr<const RowSchema>> PlainTable() {
  return MakeTable({{{1, "id", TypeId::kInt64, false, {}},
                     {2, "name", TypeId::kUtf8, true, {}},
                     {3, "price", TypeId::kDouble, true, {}},
                     {4, "seen", ColumnType::Timestamp(TimeUnit::kMicro, "UTC"), true, {}},
                     {5, "kind", TypeId::kUtf8, true, {}}},
                    {1}});
}

Value StorableCell(const ColumnType& type, Random& random) {
  Value cell = yarrow::test::RandomCell(type, random);
  if (type.id == TypeId::kTimestamp && type.unit == TimeUnit::kSecond) return Value(cell.get<int64_t>() / 1000);
  return cell;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> RandomRows(const RowSchema& schema, size_t count, Random& random) {
  std::map<std::string, std::vector<Value>> by_key;
  for (size_t i = 0; i < count; ++i) {
    std::vector<Value> row;
    for (const RowColumn& column : schema.columns()) {
      row.push_back(column.nullable && random() % 4 == 0 ? Value::Null() : StorableCell(column.type, random));
    }
    std::vector<Value> key_values;
    for (const int column : schema.key_columns()) key_values.push_back(row[static_cast<size_t>(column)]);
    std::string key;
    ARROW_RETURN_NOT_OK(schema.key_codec().Encode(key_values, &key));
    by_key.emplace(std::move(key), std::move(row));
  }
  std::vector<std::vector<Value>> rows;
  for (auto& [key, row] : by_key) rows.push_back(std::move(row));
  return MakeBatch(schema, rows);
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> PlainRows(const RowSchema& schema, int64_t first, int64_t count,
                                                             int64_t step) {
  arrow::Int64Builder ids;
  arrow::StringBuilder names;
  arrow::DoubleBuilder prices;
  arrow::TimestampBuilder seen(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), arrow::default_memory_pool());
  arrow::StringBuilder kinds;
  constexpr const char* kKinds[] = {"red", "green", "blue"};
  for (int64_t i = first; i < first + count; ++i) {
    ARROW_RETURN_NOT_OK(ids.Append(i * step));
    ARROW_RETURN_NOT_OK(i % 11 == 0 ? names.AppendNull() : names.Append("name " + std::to_string(i * 7919 % 100003)));
    ARROW_RETURN_NOT_OK(prices.Append(static_cast<double>(i % 1000) / 4));
    ARROW_RETURN_NOT_OK(seen.Append(1'700'000'000'000'000 + i * 1'000'003));
    ARROW_RETURN_NOT_OK(kinds.Append(kKinds[i * i % 3]));
  }
  arrow::ArrayVector arrays;
  for (arrow::ArrayBuilder* builder :
       std::initializer_list<arrow::ArrayBuilder*>{&ids, &names, &prices, &seen, &kinds}) {
    ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(schema.arrow_schema(), count, std::move(arrays));
}

std::vector<std::string> KeysOf(const RowSchema& schema, const arrow::RecordBatch& batch) {
  arrow::ArrayVector key_columns;
  for (const int column : schema.key_columns()) key_columns.push_back(batch.column(column));
  const RowKeys row_keys = RowKeys::Bind(schema, kPrefix, key_columns).ValueOrDie();
  std::vector<std::string> keys(static_cast<size_t>(batch.num_rows()));
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const arrow::Status status = row_keys.Encode(i, &keys[static_cast<size_t>(i)]);
    if (!status.ok()) status.Abort();
  }
  return keys;
}

std::string PlainKey(int64_t id) {
  std::string key = kPrefix;
  AppendBigEndian(static_cast<uint64_t>(id) ^ (uint64_t{1} << 63), &key);
  return key;
}

arrow::Result<TestSegment> WriteSegment(const std::filesystem::path& database,
                                        const std::shared_ptr<const RowSchema>& schema, const arrow::RecordBatch& rows,
                                        SegmentId id, const std::vector<int64_t>& batch_sizes,
                                        SegmentWriterOptions options) {
  const ManifestKey key{7, std::nullopt, id};
  ARROW_ASSIGN_OR_RAISE(const auto writer, SegmentWriter::Open(schema, kPrefix, database, key, options));
  size_t next = 0;
  for (int64_t first = 0; first < rows.num_rows();) {
    const int64_t size = std::min(batch_sizes[next], rows.num_rows() - first);
    ARROW_RETURN_NOT_OK(writer->Write(*rows.Slice(first, size)));
    first += size;
    if (next + 1 < batch_sizes.size()) ++next;
  }
  const std::filesystem::path path = writer->path();
  ARROW_ASSIGN_OR_RAISE(WrittenSegment written, writer->Finish());
  return TestSegment{key, std::move(written), path};
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadAll(const std::filesystem::path& database,
                                                           const TestSegment& segment,
                                                           const std::shared_ptr<const RowSchema>& schema) {
  ARROW_ASSIGN_OR_RAISE(auto open, Segment::Open(database, segment.key, segment.written.info));
  SegmentScanOptions options;
  for (size_t i = 0; i < schema->columns().size(); ++i) options.columns.push_back(static_cast<int>(i));
  options.key_prefix = kPrefix;
  options.ranges = {KeyRange{}};
  ARROW_ASSIGN_OR_RAISE(const auto scan, SegmentScan::Make(std::move(open), schema, options));
  arrow::RecordBatchVector batches;
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, scan->Next());
    if (!batch.has_value()) return arrow::ConcatenateRecordBatches(batches);
    batches.push_back(batch->batch);
  }
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteFile(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace yarrow::cold::test
