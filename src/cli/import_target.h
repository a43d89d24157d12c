// ImportTarget: the table an import goes into. What is missing is made, and unmade when the import fails.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "yarrow/database.h"

namespace yarrow::cli {

// Not thread-safe.
class ImportTarget {
 public:
  // Opens the database if there is one and looks for the table; creates nothing.
  static arrow::Result<ImportTarget> Open(const TableAddress& address, Durability durability);

  // Where a file can wait for an import into that directory: on the disk that the rows are going to.
  static std::filesystem::path SpoolDirectory(const std::string& directory);

  // Null: the table is still to be made.
  const TableDefinition* existing() const { return existing_.get(); }

  // Loads the rows, into a new table of `spec` unless there is one; makes directory, database and schema when missing.
  arrow::Result<int64_t> Load(const TableSpec& spec, arrow::RecordBatchReader* reader, const BulkLoadOptions& options);

  // After a failure of Load: removes what it has made. Returns `failure`, with what could not be removed.
  arrow::Status Undo(const arrow::Status& failure);

 private:
  ImportTarget(TableAddress address, StoreOptions options) : address_(std::move(address)), options_(options) {}
  arrow::Status MakeDatabase();
  // By an INSERT.
  arrow::Result<int64_t> LoadBySql(arrow::RecordBatchReader* reader, const BulkLoadOptions& options);
  arrow::Status RemoveCreated();

  TableAddress address_;
  StoreOptions options_;
  QualifiedName name_;
  std::shared_ptr<Database> database_;
  std::shared_ptr<Session> session_;
  std::shared_ptr<const TableDefinition> existing_;
  bool made_database_ = false;
  std::vector<std::filesystem::path> made_directories_;  // the outermost first
  bool made_schema_ = false;
};

}  // namespace yarrow::cli
