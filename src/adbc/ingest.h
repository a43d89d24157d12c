// Ingest: a stream of Arrow batches into a table, whole or not at all.
#pragma once

#include <arrow/record_batch.h>
#include <duckdb/common/adbc/adbc.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace duckdb {
class Connection;
}

namespace yarrow::adbc {

enum class IngestMode { kCreate, kAppend, kReplace, kCreateAppend };

struct IngestTarget {
  std::string catalog;  // empty: the connection's
  std::string schema;   // empty: the connection's, or main in another catalog
  std::string table;
  IngestMode mode = IngestMode::kCreate;
  bool temporary = false;
};

// The options of a statement that say where its rows go (ADBC_INGEST_OPTION_...), in any order.
//
// They hold for every ingest that follows, as the specification has it, until the next target is described: by an
// option for the second time, or for the first time after an ingest. Then catalog, schema and temporary are forgotten,
// for a caller who leaves them out means their defaults. The mode stays: it says nothing about where.
class IngestOptions {
 public:
  enum class Outcome { kTaken, kBadValue, kUnknown };
  Outcome Set(std::string_view name, const std::string& value);
  // For an ingest that begins; nothing if no table is named.
  std::optional<IngestTarget> TakeTarget();

 private:
  void Describe(std::string_view name);

  IngestTarget target_;
  std::set<std::string, std::less<>> given_;  // since this target is being described
  bool is_used_ = false;
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
