// ImportTarget: the table an import goes into, made when missing and unmade when the import fails.
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

  // Null: the table is still to be made.
  const TableDefinition* existing() const { return existing_.get(); }

  // Opens the table; makes the missing ones of directory, database, schema and (of `spec`) table.
  arrow::Result<std::shared_ptr<Table>> Prepare(const TableSpec& spec);

  // After a failure of Prepare or the load: removes what Prepare has made. REQUIRES: nobody else holds the table.
  // Returns `failure`, with what could not be removed.
  arrow::Status Undo(const arrow::Status& failure);

 private:
  ImportTarget(TableAddress address, StoreOptions options) : address_(std::move(address)), options_(options) {}
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
  bool made_table_ = false;
};

}  // namespace yarrow::cli
