#include "cold/segment_lookup.h"

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "batch/exact_cast.h"

namespace yarrow::cold {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

bool AreNeighbours(std::span<const uint64_t> positions) {
  for (size_t i = 1; i < positions.size(); ++i) {
    if (positions[i] != positions[i - 1] + 1) return false;
  }
  return true;
}

// `positions` less `first`, as indices for Take.
arrow::Result<std::shared_ptr<arrow::Array>> ToIndices(std::span<const uint64_t> positions, uint64_t first) {
  arrow::UInt64Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(positions.size())));
  for (const uint64_t position : positions) builder.UnsafeAppend(position - first);
  return builder.Finish();
}

}  // namespace

SegmentLookup::SegmentLookup(std::shared_ptr<const Segment> segment, ColumnSource source, std::string key_prefix,
                             PageCache* cache)
    : segment_(std::move(segment)), source_(std::move(source)), key_prefix_(std::move(key_prefix)), cache_(cache) {}

arrow::Result<std::shared_ptr<const SegmentLookup>> SegmentLookup::Make(std::shared_ptr<const Segment> segment,
                                                                        std::shared_ptr<const RowSchema> row_schema,
                                                                        std::string key_prefix,
                                                                        std::vector<int> columns, PageCache* cache) {
  ARROW_RETURN_NOT_OK(batch::RegisterKernels());
  ARROW_ASSIGN_OR_RAISE(ColumnSource source, ColumnSource::Make(*segment, std::move(row_schema), std::move(columns)));
  return std::shared_ptr<const SegmentLookup>(
      new SegmentLookup(std::move(segment), std::move(source), std::move(key_prefix), cache));
}

// From the cache; what is missing is read in one go.
arrow::Result<std::shared_ptr<const DecodedPage>> SegmentLookup::Page(size_t number,
                                                                      const std::vector<int>& file_columns) const {
  const PageCache::Key key{segment_->key().table_id, segment_->key().segment_id, static_cast<uint32_t>(number)};
  auto known = cache_->Find(key, file_columns);
  if (known != nullptr && known->Has(file_columns)) return known;
  auto page = known != nullptr ? std::make_shared<DecodedPage>(*known) : std::make_shared<DecodedPage>();
  page->columns.resize(segment_->info().columns.size());
  std::vector<int> missing;
  std::ranges::copy_if(file_columns, std::back_inserter(missing),
                       [&](int column) { return page->columns[static_cast<size_t>(column)] == nullptr; });
  ARROW_ASSIGN_OR_RAISE(Arrays read, segment_->ReadColumns({number, number + 1}, missing));
  for (size_t i = 0; i < missing.size(); ++i) page->columns[static_cast<size_t>(missing[i])] = std::move(read[i]);
  cache_->Replace(key, page);
  return page;
}

arrow::Result<Arrays> SegmentLookup::Columns(size_t number, const std::vector<int>& file_columns) const {
  ARROW_ASSIGN_OR_RAISE(const auto page, Page(number, file_columns));
  Arrays columns;
  for (const int column : file_columns) columns.push_back(page->columns[static_cast<size_t>(column)]);
  return columns;
}

arrow::Result<RowKeys> SegmentLookup::ReadKeys(size_t page) const {
  ARROW_ASSIGN_OR_RAISE(const Arrays columns, Columns(page, source_.key_file_columns()));
  auto keys = RowKeys::Bind(*source_.row_schema(), key_prefix_, columns);
  if (!keys.ok()) return segment_->InFile(keys.status());
  return keys;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SegmentLookup::ReadPage(size_t page) const {
  const auto rows = static_cast<int64_t>(segment_->pages()[page].rows);
  ARROW_ASSIGN_OR_RAISE(const Arrays columns, Columns(page, source_.file_columns()));
  auto assembled = source_.Assemble(columns, rows);
  if (!assembled.ok()) return segment_->InFile(assembled.status());
  return arrow::RecordBatch::Make(schema(), rows, *std::move(assembled));
}

arrow::Result<std::optional<uint64_t>> SegmentLookup::Find(std::string_view key) const {
  const std::optional<size_t> number = segment_->FindPage(key);
  if (!number) return std::nullopt;
  const SegmentPage& page = segment_->pages()[*number];
  if (key == page.first_key) return page.first_row;
  ARROW_ASSIGN_OR_RAISE(const RowKeys keys, ReadKeys(*number));
  const auto found = [&]() -> arrow::Result<std::optional<uint64_t>> {
    ARROW_ASSIGN_OR_RAISE(const int64_t row, keys.LowerBound(key));
    if (row == keys.rows()) return std::nullopt;
    std::string found_key;
    ARROW_RETURN_NOT_OK(keys.Encode(row, &found_key));
    if (found_key != key) return std::nullopt;
    return page.first_row + static_cast<uint64_t>(row);
  }();
  return found.ok() ? found : segment_->InFile(found.status());
}

arrow::Status SegmentLookup::CheckPosition(uint64_t position) const {
  if (position < segment_->info().rows) return arrow::Status::OK();
  return arrow::Status::IndexError("segment ", segment_->key().segment_id, " of table ", segment_->key().table_id,
                                   " has ", segment_->info().rows, " rows, none at position ", position);
}

arrow::Result<std::string> SegmentLookup::ReadKey(uint64_t position) const {
  ARROW_RETURN_NOT_OK(CheckPosition(position));
  const size_t page = segment_->PageAt(position);
  ARROW_ASSIGN_OR_RAISE(const RowKeys keys, ReadKeys(page));
  const uint64_t row = position - segment_->pages()[page].first_row;
  std::string key;
  ARROW_RETURN_NOT_OK(segment_->InFile(keys.Encode(static_cast<int64_t>(row), &key)));
  return key;
}

// Output columns of positions that all lie in one page.
arrow::Result<Arrays> SegmentLookup::TakeRows(size_t page, std::span<const uint64_t> positions) const {
  const uint64_t first_row = segment_->pages()[page].first_row;
  const auto count = static_cast<int64_t>(positions.size());
  ARROW_ASSIGN_OR_RAISE(Arrays columns, Columns(page, source_.file_columns()));
  if (AreNeighbours(positions)) {
    for (auto& column : columns) column = column->Slice(static_cast<int64_t>(positions.front() - first_row), count);
  } else {
    ARROW_ASSIGN_OR_RAISE(const auto indices, ToIndices(positions, first_row));
    for (auto& column : columns) {
      ARROW_ASSIGN_OR_RAISE(column,
                            arrow::compute::Take(*column, *indices, arrow::compute::TakeOptions::NoBoundsCheck()));
    }
  }
  auto assembled = source_.Assemble(columns, count);
  return assembled.ok() ? assembled : segment_->InFile(assembled.status());
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> SegmentLookup::ReadRows(std::span<const uint64_t> positions) const {
  arrow::RecordBatchVector parts;
  for (size_t begin = 0; begin < positions.size();) {
    ARROW_RETURN_NOT_OK(CheckPosition(positions[begin]));
    const size_t number = segment_->PageAt(positions[begin]);
    const SegmentPage& page = segment_->pages()[number];
    size_t end = begin + 1;
    while (end < positions.size() && positions[end] >= page.first_row && positions[end] < page.first_row + page.rows) {
      ++end;
    }
    ARROW_ASSIGN_OR_RAISE(Arrays columns, TakeRows(number, positions.subspan(begin, end - begin)));
    parts.push_back(arrow::RecordBatch::Make(schema(), static_cast<int64_t>(end - begin), std::move(columns)));
    begin = end;
  }
  if (parts.empty()) return arrow::RecordBatch::MakeEmpty(schema());
  if (parts.size() == 1) return parts.front();
  return arrow::ConcatenateRecordBatches(parts);
}

arrow::Result<std::vector<Value>> SegmentLookup::ReadRow(uint64_t position) const {
  ARROW_RETURN_NOT_OK(CheckPosition(position));
  const size_t number = segment_->PageAt(position);
  ARROW_ASSIGN_OR_RAISE(const auto page, Page(number, source_.file_columns()));
  auto values = source_.ReadRow(page->columns, static_cast<int64_t>(position - segment_->pages()[number].first_row));
  return values.ok() ? values : segment_->InFile(values.status());
}

}  // namespace yarrow::cold
