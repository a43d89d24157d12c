#include "table/new_segments.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "cold/segment_lookup.h"
#include "store/home_process.h"
#include "yarrow/flush.h"

namespace yarrow {

using arrow::Status;

UncommittedSegment::~UncommittedSegment() {
  if (is_kept_ || !HomeProcess::IsHome()) return;
  ARROW_UNUSED(tier_->files->Remove(path_));
}

NewSegments::NewSegments(const TableImpl& table, KeySummary keys, std::vector<Made> made)
    : ExternalRun(table.entry().partition, std::move(keys)),
      table_id_(table.definition().id),
      row_schema_(table.row_schema()),
      key_prefix_(table.key_prefix()),
      made_(std::move(made)) {}

ColdSegments NewSegments::segments() const {
  ColdSegments segments;
  for (const Made& made : made_) segments.push_back(made.segment);
  return segments;
}

uint64_t NewSegments::rows() const {
  return std::accumulate(made_.begin(), made_.end(), uint64_t{0},
                         [](uint64_t sum, const Made& made) { return sum + made.segment->info().rows; });
}

uint64_t NewSegments::file_bytes() const {
  return std::accumulate(made_.begin(), made_.end(), uint64_t{0},
                         [](uint64_t sum, const Made& made) { return sum + made.segment->info().bytes; });
}

void NewSegments::AddManifestEntries(WriteSet* writes) const {
  for (const Made& made : made_) made.segment->AddManifestEntry(*made.key_filter, writes);
}

void NewSegments::Keep() const {
  for (const Made& made : made_) {
    made.file->Keep();
    made.segment->SetNew(false);
  }
}

arrow::Result<std::optional<std::string>> NewSegments::FindKey(
    const std::function<bool(std::string_view key)>& is_it) const {
  std::string key;
  for (const Made& made : made_) {
    ARROW_ASSIGN_OR_RAISE(const auto lookup, made.segment->Lookup(row_schema_, key_prefix_));
    for (size_t page = 0; page < lookup->segment()->pages().size(); ++page) {
      ARROW_ASSIGN_OR_RAISE(const auto keys, lookup->ReadKeys(page));
      for (int64_t row = 0; row < keys.rows(); ++row) {
        ARROW_RETURN_NOT_OK(keys.Encode(row, &key));
        if (is_it(key)) return key;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::shared_ptr<const NewSegments>> NewSegmentsOf(uint32_t table_id, const WriteSet::View& writes) {
  std::vector<std::shared_ptr<const NewSegments>> found;
  for (const auto& run : writes.ExternalRuns()) {
    auto segments = std::dynamic_pointer_cast<const NewSegments>(run);
    if (segments != nullptr && segments->table_id() == table_id) found.push_back(std::move(segments));
  }
  return found;
}

namespace {

int64_t RowsPerSegment(uint64_t rows) {
  const auto full = static_cast<uint64_t>(FlushOptions().max_segment_rows);
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
  return std::make_shared<const NewSegments>(table_, keys_.Finish(), std::move(made_));
}

}  // namespace yarrow
