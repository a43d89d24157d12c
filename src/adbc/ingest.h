// Ingest: a stream of Arrow batches into a table, whole or not at all.
#pragma once

#include <arrow/record_batch.h>
#include <duckdb/common/adbc/adbc.h>

#include <cstdint>
#include <memory>
#include <string>

namespace duckdb {
class Connection;
}

namespace yarrow::adbc {

enum class IngestMode { kCreate, kAppend, kReplace, kCreateAppend };

struct IngestTarget {
  std::string catalog;  // empty: the connection's
  std::string schema;   // empty: main
  std::string table;
  IngestMode mode = IngestMode::kCreate;
};

struct IngestResult {
  AdbcStatusCode code = ADBC_STATUS_OK;
  std::string message;
  int64_t rows = 0;
};

// One statement, in the connection's transaction if it has one. Columns go by name; those of an existing table that the
// stream lacks get their default values. Reads the stream to its end.
IngestResult Ingest(duckdb::Connection& connection, const IngestTarget& target,
                    const std::shared_ptr<arrow::RecordBatchReader>& rows);

}  // namespace yarrow::adbc
