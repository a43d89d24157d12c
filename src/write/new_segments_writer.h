// NewSegmentsWriter: the rows of one statement on their way into segments of their own (NewSegments).
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "batch/batch_builder.h"
#include "cold/segment_writer.h"
#include "table/table_impl.h"
#include "tier/new_segments.h"
#include "write/ordered_worker.h"

namespace yarrow {

// Writes them, the files in a thread of its own. Not thread-safe; the table must outlive it.
class NewSegmentsWriter {
 public:
  // At most `rows` rows will come; they are shared out evenly among segments.
  NewSegmentsWriter(const TableImpl& table, uint64_t rows);
  ~NewSegmentsWriter();

  // Keys must be strictly ascending; Invalid, naming the key, otherwise, and for a value that no segment can hold.
  arrow::Status Add(std::string_view key, std::string_view row);
  // Null when there were no rows. When it returns, the files are durable.
  arrow::Result<std::shared_ptr<const NewSegments>> Finish();

 private:
  arrow::Status EndBatch(bool ends_segment);
  // In the other thread.
  arrow::Status Write(const arrow::RecordBatch& batch, bool ends_segment);
  arrow::Status StartSegment();
  arrow::Status FinishSegment();

  const TableImpl& table_;
  const int64_t rows_per_segment_;
  KeySummaryBuilder keys_;
  std::unique_ptr<BatchBuilder> builder_;
  int64_t rows_in_segment_ = 0;
  // Of the other thread.
  cold::ManifestKey key_;  // of writer_
  std::unique_ptr<cold::SegmentWriter> writer_;
  std::vector<NewSegments::Made> made_;
  OrderedWorker worker_;  // ends before what it uses
};

}  // namespace yarrow
