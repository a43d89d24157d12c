#include "cli/import_target.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "sql/arrow_types.h"
#include "sql/sql_session.h"

namespace yarrow::cli {

namespace fs = std::filesystem;

namespace {

bool HasOnlySystemTables(const Database& database) {
  const auto tables = database.Tables();
  return std::all_of(tables.begin(), tables.end(), [](const auto& table) { return table->kind == TableKind::kSystem; });
}

// Whether SQL alone can test the rows, compute what they lack, or read texts of their values.
bool NeedsSql(const TableDefinition& table, const arrow::Schema& rows) {
  const auto is_computed = [&](const ColumnDefinition& column) {
    return !column.default_expression.empty() && rows.GetFieldIndex(column.name) < 0;
  };
  const auto is_text_of_sql = [&](const ColumnDefinition& column) {
    const auto field = sql::HasSqlText(column.type) ? rows.GetFieldByName(column.name) : nullptr;
    return field != nullptr && field->type()->id() == arrow::Type::STRING;
  };
  return !table.checks.empty() || std::ranges::any_of(table.columns, is_computed) ||
         std::ranges::any_of(table.columns, is_text_of_sql);
}

// Tells how many rows were read, as a bulk load does.
class ReportingReader : public arrow::RecordBatchReader {
 public:
  ReportingReader(arrow::RecordBatchReader* rows, const BulkLoadOptions& options) : rows_(rows), options_(options) {}

  std::shared_ptr<arrow::Schema> schema() const override { return rows_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    ARROW_RETURN_NOT_OK(rows_->ReadNext(batch));
    if (*batch != nullptr) progress_.rows_read += (*batch)->num_rows();
    return options_.on_progress ? options_.on_progress(progress_) : arrow::Status::OK();
  }

 private:
  arrow::RecordBatchReader* const rows_;
  const BulkLoadOptions& options_;
  BulkLoadProgress progress_;
};

}  // namespace

arrow::Result<ImportTarget> ImportTarget::Open(const TableAddress& address, Durability durability) {
  StoreOptions options;
  options.durability = durability;
  ImportTarget target(address, options);
  ARROW_ASSIGN_OR_RAISE(target.name_, QualifiedName::Parse(address.table));
  if (!DirectoryHolds(address.directory)) return target;
  ARROW_ASSIGN_OR_RAISE(target.database_, Database::Open(address.directory, options));
  auto found = target.database_->FindTable(address.table);
  if (found.ok()) {
    target.existing_ = *std::move(found);
  } else if (!found.status().IsKeyError()) {
    return found.status();
  }
  return target;
}

fs::path ImportTarget::SpoolDirectory(const std::string& directory) {
  std::error_code error;
  const fs::path path = fs::absolute(directory, error).lexically_normal();
  if (fs::is_directory(path / "tmp", error)) return path / "tmp";
  fs::path there = path;
  while (there.has_relative_path() && !fs::is_directory(there, error)) there = there.parent_path();
  return there;
}

arrow::Status ImportTarget::MakeDatabase() {
  std::error_code error;
  fs::path missing = fs::absolute(address_.directory, error).lexically_normal();
  if (!missing.has_filename()) missing = missing.parent_path();  // a slash at the end
  for (; !missing.empty() && !fs::exists(missing, error); missing = missing.parent_path()) {
    made_directories_.insert(made_directories_.begin(), missing);
  }
  ARROW_ASSIGN_OR_RAISE(database_, Database::Open(address_.directory, options_));
  // Another process may have been quicker: its database is not ours to remove.
  made_database_ = HasOnlySystemTables(*database_);
  return arrow::Status::OK();
}

arrow::Result<int64_t> ImportTarget::LoadBySql(arrow::RecordBatchReader* reader, const BulkLoadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto session,
                        sql::SqlSession::Open(database_, {.user = address_.user, .confined = false}));
  ReportingReader rows(reader, options);
  const bool replace = options.mode == WriteMode::kUpsert && !existing_->has_hidden_row_id();
  return session->Insert({existing_->schema_name, existing_->name}, &rows, replace);
}

arrow::Result<int64_t> ImportTarget::Load(const TableSpec& spec, arrow::RecordBatchReader* reader,
                                          const BulkLoadOptions& options) {
  if (database_ == nullptr) ARROW_RETURN_NOT_OK(MakeDatabase());
  ARROW_ASSIGN_OR_RAISE(session_, database_->OpenSession({.user = address_.user}));
  if (existing_ != nullptr && NeedsSql(*existing_, *reader->schema())) return LoadBySql(reader, options);
  if (existing_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto table, session_->OpenTable(address_.table));
    return table->BulkLoad(reader, options);
  }
  const arrow::Status made = database_->CreateSchema(name_.schema_name);
  if (!made.ok() && !made.IsAlreadyExists()) return made;
  made_schema_ = made_schema_ || made.ok();
  return session_->CreateTableAs(spec, reader, options);
}

arrow::Status ImportTarget::RemoveCreated() {
  session_.reset();
  std::error_code error;
  if (made_database_) {
    database_.reset();
    // The directory was missing or empty: what is in it now is the database that has just been closed.
    fs::directory_iterator entry(address_.directory, error), end;
    for (; !error && entry != end; entry.increment(error)) {
      fs::remove_all(entry->path(), error);
      if (error) break;
    }
  } else if (made_schema_) {
    ARROW_RETURN_NOT_OK(database_->DropSchema(name_.schema_name));
  }
  // As far as they are empty.
  for (size_t i = made_directories_.size(); i-- > 0 && !error;) {
    if (fs::exists(made_directories_[i], error)) fs::remove(made_directories_[i], error);
  }
  if (!made_database_) return arrow::Status::OK();
  if (error) return arrow::Status::IOError("cannot remove '", address_.directory, "': ", error.message());
  return arrow::Status::OK();
}

arrow::Status ImportTarget::Undo(const arrow::Status& failure) {
  const arrow::Status removed = RemoveCreated();
  if (removed.ok()) return failure;
  return failure.WithMessage(failure.message(), "; then, while cleaning up: ", removed.message());
}

}  // namespace yarrow::cli
