// Tables, rows and segments for the tests of the cold layer.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "cold/segment.h"
#include "cold/segment_writer.h"
#include "table_fixture.h"

namespace yarrow::cold::test {

using Random = std::mt19937_64;
using yarrow::test::kPrefix;
using yarrow::test::MakeBatch;
using yarrow::test::MakeTable;

// A random table "app.t" with a key of one or two columns and some others, of random types.
arrow::Result<std::shared_ptr<const RowSchema>> RandomTable(Random& random);
// (id BIGINT, name VARCHAR, price DOUBLE, seen TIMESTAMP UTC, kind VARCHAR of few values); the key is (id).
arrow::Result<std::shared_ptr<const RowSchema>> PlainTable();
// A value that a segment can hold: seconds stay within what milliseconds can say.
Value StorableCell(const ColumnType& type, Random& random);
// At most `count` rows in key order, with distinct keys.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> RandomRows(const RowSchema& schema, size_t count, Random& random);
// Rows id = first * step, (first + 1) * step, ... of PlainTable.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> PlainRows(const RowSchema& schema, int64_t first, int64_t count,
                                                             int64_t step = 1);
// The keys of all rows.
std::vector<std::string> KeysOf(const RowSchema& schema, const arrow::RecordBatch& batch);
std::string PlainKey(int64_t id);

struct TestSegment {
  ManifestKey key;
  WrittenSegment written;
  std::filesystem::path path;
};
// Writes a batch as segment `id` of table 7, cut into batches of these sizes (the last one repeats).
arrow::Result<TestSegment> WriteSegment(const std::filesystem::path& database,
                                        const std::shared_ptr<const RowSchema>& schema, const arrow::RecordBatch& rows,
                                        SegmentId id, const std::vector<int64_t>& batch_sizes = {1 << 30},
                                        SegmentWriterOptions options = {});

// All its rows, or the first error.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadAll(const std::filesystem::path& database,
                                                           const TestSegment& segment,
                                                           const std::shared_ptr<const RowSchema>& schema);

std::string ReadFile(const std::filesystem::path& path);
void WriteFile(const std::filesystem::path& path, std::string_view bytes);

}  // namespace yarrow::cold::test
