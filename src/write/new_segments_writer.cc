#include "write/new_segments_writer.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace yarrow {

using arrow::Status;

namespace {

int64_t RowsPerSegment(uint64_t rows) {
  const auto full = static_cast<uint64_t>(kRowsPerSegment);
  const uint64_t segments = std::max<uint64_t>((rows + full - 1) / full, 1);
  return static_cast<int64_t>((rows + segments - 1) / segments);
}

}  // namespace

NewSegmentsWriter::NewSegmentsWriter(const TableImpl& table, uint64_t rows)
    : table_(table),
      rows_per_segment_(RowsPerSegment(rows)),
      keys_(table.entry().partition, KeySummaryBuilder::Parts::kKeys) {}

NewSegmentsWriter::~NewSegmentsWriter() = default;

Status NewSegmentsWriter::Add(std::string_view key, std::string_view row) {
  ARROW_RETURN_NOT_OK(keys_.Add(key));
  if (builder_ == nullptr) {
    std::vector<int> columns(table_.row_schema()->columns().size());
    std::iota(columns.begin(), columns.end(), 0);
    ARROW_ASSIGN_OR_RAISE(
        builder_, BatchBuilder::Make(table_.row_schema(), std::move(columns), table_.row_schema()->arrow_schema()));
  }
  if (builder_->rows() == 0) ARROW_RETURN_NOT_OK(builder_->Reserve(kBatchRows));
  ARROW_RETURN_NOT_OK(builder_->Append(key, row));
  const bool ends_segment = ++rows_in_segment_ == rows_per_segment_;
  return ends_segment || builder_->rows() == kBatchRows || builder_->full() ? EndBatch(ends_segment) : Status::OK();
}

Status NewSegmentsWriter::EndBatch(bool ends_segment) {
  ARROW_ASSIGN_OR_RAISE(auto batch, builder_->Finish());
  if (ends_segment) rows_in_segment_ = 0;
  return worker_.Add([this, batch = std::move(batch), ends_segment] { return Write(*batch, ends_segment); });
}

Status NewSegmentsWriter::Write(const arrow::RecordBatch& batch, bool ends_segment) {
  if (writer_ == nullptr) ARROW_RETURN_NOT_OK(StartSegment());
  ARROW_RETURN_NOT_OK(writer_->Write(batch));
  return ends_segment ? FinishSegment() : Status::OK();
}

Status NewSegmentsWriter::StartSegment() {
  key_ = {.table_id = table_.definition().id, .user_id = {}, .segment_id = 0};
  if (table_.definition().kind == TableKind::kUser) key_.user_id = table_.user();
  ARROW_ASSIGN_OR_RAISE(const int64_t id, table_.entry().segment_ids->Take(1));
  key_.segment_id = static_cast<cold::SegmentId>(id);
  const bool scan = table_.definition().policy.optimize_for == OptimizeFor::kScan;
  const auto layout = scan ? cold::SegmentLayout::kScan : cold::SegmentLayout::kLookup;
  ARROW_ASSIGN_OR_RAISE(writer_,
                        cold::SegmentWriter::Open(table_.row_schema(), table_.key_prefix(), table_.store().path(), key_,
                                                  {.layout = layout, .files = table_.cold()->tier().files}));
  return Status::OK();
}

Status NewSegmentsWriter::FinishSegment() {
  // It may have its name when it fails.
  auto file = std::make_unique<const UncommittedSegment>(table_.database().cold_tier(), writer_->path());
  ARROW_ASSIGN_OR_RAISE(auto written, writer_->Finish());
  writer_.reset();
  auto segment =
      table_.cold()->MakeSegment(key_, {.segment_id = key_.segment_id, .level = 0, .info = std::move(written.info)});
  auto key_filter = std::make_shared<const cold::KeyFilter>(std::move(written.key_filter));
  segment->CacheFilter(key_filter);
  segment->SetNew(true);
  made_.push_back({std::move(file), std::move(segment), std::move(key_filter)});
  return Status::OK();
}

arrow::Result<std::shared_ptr<const NewSegments>> NewSegmentsWriter::Finish() {
  if (keys_.empty()) return nullptr;
  if (builder_->rows() > 0) ARROW_RETURN_NOT_OK(EndBatch(/*ends_segment=*/true));
  ARROW_RETURN_NOT_OK(worker_.Finish());
  if (writer_ != nullptr) ARROW_RETURN_NOT_OK(FinishSegment());
  return std::make_shared<const NewSegments>(table_.entry().partition, table_.definition().id, table_.row_schema(),
                                             table_.key_prefix(), keys_.Finish(), std::move(made_));
}

}  // namespace yarrow
