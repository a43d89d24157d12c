// What a write is told: the values of columns, what to do about keys that exist, and how to load many rows.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "yarrow/value.h"

namespace yarrow {

// New values of some columns, by name.
using Assignments = std::span<const std::pair<std::string, Value>>;

enum class WriteMode {
  kInsert,  // an existing key is an error that names it
  kUpsert,  // an existing row is replaced
};

struct BulkLoadProgress {
  int64_t rows_read = 0;
  int64_t rows_written = 0;  // to the files that one last step makes visible; 0 as long as rows are read
};

struct BulkLoadOptions {
  WriteMode mode = WriteMode::kInsert;
  uint64_t sort_buffer_bytes = 128ull << 20;  // rows arriving out of key order are sorted in runs of this size
  // Called now and then from the loading thread, until the last step. A status that is not OK ends the load, which
  // returns it and leaves the table as it was.
  std::function<arrow::Status(const BulkLoadProgress& progress)> on_progress = {};
};

}  // namespace yarrow
