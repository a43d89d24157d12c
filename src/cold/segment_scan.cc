#include "cold/segment_scan.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

#include "cold/predicate_bounds.h"
#include "cold/row_keys.h"

namespace yarrow::cold {
namespace {

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

// The first of normalized ranges that reaches above `key`.
std::vector<KeyRange>::const_iterator FirstRangeAbove(const std::vector<KeyRange>& ranges, std::string_view key) {
  return std::ranges::partition_point(
      ranges, [key](const KeyRange& range) { return !range.upper.empty() && range.upper <= key; });
}

}  // namespace

SegmentScan::SegmentScan(std::shared_ptr<const Segment> segment, ColumnSource source, SegmentScanOptions options)
    : segment_(std::move(segment)), source_(std::move(source)), options_(std::move(options)) {}

arrow::Result<std::unique_ptr<SegmentScan>> SegmentScan::Make(std::shared_ptr<const Segment> segment,
                                                              std::shared_ptr<const RowSchema> row_schema,
                                                              SegmentScanOptions options) {
  if (options.batch_rows <= 0) return arrow::Status::Invalid("batches of ", options.batch_rows, " rows");
  ARROW_ASSIGN_OR_RAISE(ColumnSource source, ColumnSource::Make(*segment, std::move(row_schema), options.columns));
  std::unique_ptr<SegmentScan> scan(new SegmentScan(std::move(segment), std::move(source), std::move(options)));
  ARROW_RETURN_NOT_OK(scan->SelectRowGroups());
  return scan;
}

arrow::Result<bool> SegmentScan::IsRuledOut(size_t row_group) const {
  if (options_.predicate.kind() == Predicate::Kind::kTrue) return false;
  arrow::Status status;
  const bool may_be_true = MayBeTrue(options_.predicate, [&](int number) -> ColumnBounds {
    const RowColumn& column = source_.row_schema()->columns()[static_cast<size_t>(number)];
    const int file_column = segment_->FindColumn(column.id);
    if (file_column < 0) return ColumnBounds::Of(column.older_value());
    const auto statistics = segment_->RowGroupStatistics(row_group, file_column);
    if (!statistics.ok()) status = statistics.status();
    if (!statistics.ok() || !statistics->has_value()) return {};
    return ColumnBounds::Of(**statistics, segment_->info().row_groups[row_group].rows, column.type);
  });
  ARROW_RETURN_NOT_OK(status);
  return !may_be_true;
}

arrow::Status SegmentScan::SelectRowGroups() {
  for (size_t i = 0; i < segment_->row_group_count(); ++i) {
    const KeyRange own = KeysOf(segment_->PagesOf(i));
    const auto range = FirstRangeAbove(options_.ranges, own.lower);
    if (range == options_.ranges.end() || range->lower >= own.upper) {
      ++counts_.row_groups_out_of_range;
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const bool ruled_out, IsRuledOut(i));
    ruled_out ? static_cast<void>(++counts_.row_groups_ruled_out) : AddPages(i);
  }
  if (!options_.reverse) std::ranges::reverse(pages_);
  CutOffFirstPage();
  return arrow::Status::OK();
}

// Those with keys in a range; neighbours together.
void SegmentScan::AddPages(size_t row_group) {
  const PageRange all = segment_->PagesOf(row_group);
  if (IsWholeInRange(all)) return pages_.push_back(all);
  std::optional<PageRange> run;
  for (size_t page = all.begin; page < all.end; ++page) {
    const KeyRange own = KeysOf({page, page + 1});
    const auto range = FirstRangeAbove(options_.ranges, own.lower);
    const bool is_wanted = range != options_.ranges.end() && range->lower < own.upper;
    if (is_wanted) run = PageRange{run ? run->begin : page, page + 1};
    if (run && (!is_wanted || page + 1 == all.end)) {
      pages_.push_back(*run);
      run.reset();
    }
  }
}

void SegmentScan::CutOffFirstPage() {
  if (pages_.empty() || pages_.back().end - pages_.back().begin < 2) return;
  const PageRange run = pages_.back();
  const size_t middle = options_.reverse ? run.end - 1 : run.begin + 1;
  PageRange first{run.begin, middle}, rest{middle, run.end};
  if (options_.reverse) std::swap(first, rest);
  pages_.back() = rest;
  pages_.push_back(first);
}

// From the first key of these pages up to that of the next one, or up to the segment's last key.
KeyRange SegmentScan::KeysOf(PageRange pages) const {
  const auto& all = segment_->pages();
  const bool is_last = pages.end == all.size();
  return {all[pages.begin].first_key, is_last ? KeySuccessor(segment_->info().last_key) : all[pages.end].first_key};
}

bool SegmentScan::IsWholeInRange(PageRange pages) const {
  const KeyRange own = KeysOf(pages);
  const auto range = FirstRangeAbove(options_.ranges, own.lower);
  return range->lower <= own.lower && (range->upper.empty() || range->upper >= own.upper);
}

uint64_t SegmentScan::rows_at_most() const {
  uint64_t rows = 0;
  for (const Interval& interval : intervals_) rows += static_cast<uint64_t>(interval.end - interval.begin);
  for (const PageRange pages : pages_) rows += segment_->RowsOf(pages);
  return rows;
}

// Cuts rows [begin, end) into batches.
void SegmentScan::AddInterval(int64_t begin, int64_t end) {
  for (; begin < end; begin += options_.batch_rows) {
    intervals_.push_back({begin, std::min(end, begin + options_.batch_rows)});
  }
}

arrow::Status SegmentScan::CutIntervals(PageRange pages, const Arrays& key_columns) {
  ARROW_ASSIGN_OR_RAISE(const RowKeys keys, RowKeys::Bind(*source_.row_schema(), options_.key_prefix, key_columns));
  const KeyRange own = KeysOf(pages);
  for (auto range = FirstRangeAbove(options_.ranges, own.lower);
       range != options_.ranges.end() && range->lower < own.upper; ++range) {
    ARROW_ASSIGN_OR_RAISE(const int64_t begin, keys.LowerBound(range->lower));
    int64_t end = keys.rows();
    if (!range->upper.empty()) {
      ARROW_ASSIGN_OR_RAISE(end, keys.LowerBound(range->upper));
    }
    AddInterval(begin, end);
  }
  return arrow::Status::OK();
}

arrow::Status SegmentScan::OpenPages(PageRange pages) {
  const SegmentPage& first_page = segment_->pages()[pages.begin];
  const auto rows = static_cast<int64_t>(segment_->RowsOf(pages));
  const bool is_whole = IsWholeInRange(pages);
  const size_t wanted = source_.file_columns().size();
  std::vector<int> file_columns = source_.file_columns();
  if (!is_whole) {
    file_columns.insert(file_columns.end(), source_.key_file_columns().begin(), source_.key_file_columns().end());
  }
  if (row_group_ != first_page.row_group) ++counts_.row_groups_read;
  row_group_ = first_page.row_group;
  ARROW_ASSIGN_OR_RAISE(Arrays arrays, segment_->ReadColumns(pages, file_columns, &counts_.bytes_read));
  first_row_ = first_page.first_row;
  intervals_.clear();
  if (is_whole) {
    AddInterval(0, rows);
  } else {
    ARROW_RETURN_NOT_OK(
        segment_->InFile(CutIntervals(pages, Arrays(arrays.begin() + static_cast<ptrdiff_t>(wanted), arrays.end()))));
    arrays.resize(wanted);
  }
  if (!options_.reverse) std::ranges::reverse(intervals_);
  auto columns = source_.Assemble(arrays, rows);
  if (!columns.ok()) return segment_->InFile(columns.status());
  columns_ = *std::move(columns);
  return arrow::Status::OK();
}

SegmentBatch SegmentScan::Slice(const Interval& interval) const {
  const int64_t rows = interval.end - interval.begin;
  Arrays slices;
  for (const auto& column : columns_) slices.push_back(column->Slice(interval.begin, rows));
  return {arrow::RecordBatch::Make(source_.schema(), rows, std::move(slices)),
          first_row_ + static_cast<uint64_t>(interval.begin)};
}

arrow::Result<std::optional<SegmentBatch>> SegmentScan::Next() {
  while (intervals_.empty()) {
    columns_.clear();
    if (pages_.empty()) return std::nullopt;
    const PageRange pages = pages_.back();
    pages_.pop_back();
    const arrow::Status status = OpenPages(pages);
    if (!status.ok()) {
      pages_.clear();
      intervals_.clear();
      return status;
    }
  }
  SegmentBatch batch = Slice(intervals_.back());
  intervals_.pop_back();
  counts_.rows += static_cast<uint64_t>(batch.batch->num_rows());
  return batch;
}

}  // namespace yarrow::cold
