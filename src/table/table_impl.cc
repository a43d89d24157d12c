#include "table/table_impl.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "batch/array_form.h"
#include "batch/batch_builder.h"
#include "catalog/system_tables.h"
#include "catalog/table_schema.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "scan/table_scan.h"
#include "store/home_process.h"
#include "store/store_commits.h"
#include "table/index_lookup.h"
#include "type/type_traits.h"

namespace yarrow {

using arrow::Status;

arrow::Result<std::shared_ptr<TableImpl>> TableImpl::Make(std::shared_ptr<DatabaseImpl> database,
                                                          std::shared_ptr<const TableEntry> entry,
                                                          const std::string& user) {
  std::shared_ptr<TableImpl> impl(new TableImpl, DeleteAtHome());
  const TableDefinition& definition = *entry->definition;
  impl->database_ = std::move(database);
  impl->user_ = user;
  impl->key_prefix_ = entry->prefix;
  switch (definition.kind) {
    case TableKind::kSystem:
      impl->row_schema_ = SystemTableRowSchema(static_cast<SystemTableId>(definition.id));
      break;
    case TableKind::kUser:
      impl->needs_user_ = user.empty();
      if (!user.empty()) impl->key_prefix_ = UserRecordPrefix(RecordKind::kRow, definition.id, user);
      [[fallthrough]];
    case TableKind::kShared: {
      ARROW_ASSIGN_OR_RAISE(impl->row_schema_, MakeRowSchema(definition, impl->key_prefix_.size()));
      break;
    }
  }
  // One schema object a table, so that batches of its scans compare equal by pointer.
  const bool is_as_in_batches = std::ranges::all_of(
      definition.columns, [](const ColumnDefinition& column) { return IsBatchTypeArrow(column.type); });
  const bool is_whole = is_as_in_batches && !definition.has_hidden_row_id();
  impl->visible_schema_ = is_whole ? impl->row_schema_->arrow_schema() : definition.ArrowSchema();
  std::vector<int> visible(definition.visible_columns());
  std::iota(visible.begin(), visible.end(), 0);
  impl->projections_ = std::make_shared<ProjectionCache>(
      impl->row_schema_, definition.visible_columns(),
      is_as_in_batches ? impl->visible_schema_ : ProjectedSchema(*impl->row_schema_, visible));
  if (!is_as_in_batches) impl->user_schema_ = impl->visible_schema_;
  if (definition.kind != TableKind::kSystem) {
    ARROW_ASSIGN_OR_RAISE(impl->cold_, impl->database_->OpenCold(*entry));
    ARROW_RETURN_NOT_OK(impl->MakeIndexes(definition));
  }
  impl->entry_ = std::move(entry);
  return impl;
}

namespace {

// Of the column that an index has.
arrow::Result<int> PositionOf(const TableDefinition& definition, uint32_t id) {
  const auto column = std::ranges::find(definition.columns, id, &ColumnDefinition::id);
  if (column != definition.columns.end()) return static_cast<int>(column - definition.columns.begin());
  return Status::Invalid("Table ", definition.QualifiedName(), ": an index has the unknown column ", id);
}

arrow::Result<ExpressionParts> MakeExpressions(const TableDefinition& definition, const IndexDefinition& index,
                                               std::vector<std::string>* known) {
  ExpressionParts expressions;
  std::vector<RowExpressionSpec::Argument> arguments;
  for (const uint32_t id : index.expression_columns) {
    ARROW_ASSIGN_OR_RAISE(const int column, PositionOf(definition, id));
    expressions.arguments.push_back(column);
    const ColumnDefinition& argument = definition.columns[static_cast<size_t>(column)];
    arguments.push_back({.name = argument.name, .type = argument.type});
  }
  for (const IndexExpression& one : index.expressions) {
    auto value = OpenRowExpression({.sql = one.sql, .type = one.type, .arguments = arguments});
    const auto at = std::ranges::find(*known, one.sql);
    const auto number = static_cast<int>(definition.columns.size() + static_cast<size_t>(at - known->begin()));
    if (at == known->end()) known->push_back(one.sql);
    expressions.parts.push_back({.sql = one.sql, .type = one.type, .value = std::move(value), .number = number});
  }
  return expressions;
}

}  // namespace

Status TableImpl::MakeIndexes(const TableDefinition& definition) {
  std::vector<std::string> known;  // expressions, by what their numbers are more than those of columns
  for (const IndexDefinition& index : definition.indexes) {
    ARROW_ASSIGN_OR_RAISE(ExpressionParts expressions, MakeExpressions(definition, index, &known));
    std::vector<int> columns;
    auto next = expressions.parts.begin();
    for (const uint32_t id : index.columns) {
      if (id == 0 && next != expressions.parts.end()) {
        columns.push_back((next++)->number);
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const int column, PositionOf(definition, id));
      columns.push_back(column);
    }
    const bool of_user = definition.kind == TableKind::kUser;
    std::string prefix = of_user ? UserRecordPrefix(RecordKind::kIndexEntry, index.id, user_)
                                 : RecordPrefix(RecordKind::kIndexEntry, index.id);
    ARROW_ASSIGN_OR_RAISE(auto keys, IndexKeys::Make(row_schema_, std::move(columns), index.unique, std::move(prefix),
                                                     std::move(expressions)));
    indexes_.push_back({.definition = &index, .keys = std::move(keys)});
  }
  return Status::OK();
}

bool TableImpl::has_references() const {
  return !definition().referenced_by.empty() || std::ranges::any_of(indexes_, [](const TableIndex& index) {
    return index.definition->references.has_value();
  });
}

std::string TableImpl::Describe(const TableIndex& index) const {
  if (index.definition->is_constraint()) return definition().ConstraintText(*index.definition);
  return (index.definition->unique ? "unique index " : "index ") + index.definition->name;
}

Status TableImpl::CheckReadable(const Snapshot& snapshot) const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  const uint64_t ended = entry_->ended_at->load(std::memory_order_acquire);
  if (ended != 0 && snapshot.is_null() && ended < TableEntry::kEnding) return Outdated();
  if (ended != 0 && !snapshot.is_null() && !database_->catalog().IsLiveAt(*entry_, snapshot)) return Outdated();
  if (!needs_user_) return Status::OK();
  return Status::Invalid("Table ", definition().QualifiedName(),
                         " is a user table and this session has no acting user: open it with SessionOptions::user");
}

Status TableImpl::Outdated() const {
  const std::string name = definition().QualifiedName();
  const auto latest = database_->catalog().FindLatest(*entry_);
  if (latest == nullptr) {
    return Status::KeyError("Table ", name, " was dropped; only snapshots from before that still have it");
  }
  return ConflictError("table " + name + " was altered since it was opened" +
                       (latest->definition->name == definition().name
                            ? std::string()
                            : " and is " + latest->definition->QualifiedName() + " now") +
                       "; open it again and repeat what was done with it");
}

Status TableImpl::CheckWritable() const {
  if (definition().kind == TableKind::kSystem) {
    return Status::Invalid("Table ", definition().QualifiedName(), " belongs to the database and is read-only");
  }
  return CheckReadable({});
}

bool TableImpl::WritesSegments(uint64_t rows) const {
  const auto fewest = static_cast<uint64_t>(database_->settings().rows_to_segment.load());
  if (fewest == 0 || rows < fewest) return false;
  return definition().kind != TableKind::kUser || rows >= static_cast<uint64_t>(definition().policy.min_user_rows);
}

ScanSource TableImpl::MakeSource(WriteSet::View overlay) const {
  ScanSource source;
  source.store = database_->store();
  source.kind = entry_->partition.valid() ? SourceKind::kHot : SourceKind::kComputed;
  source.computed = static_cast<SystemTableId>(definition().id);
  source.tier = database_->cold_tier();
  source.jobs = database_->shared_jobs();
  source.partition = entry_->partition;
  source.key_prefix = key_prefix_;
  source.row_schema = row_schema_;
  source.projections = projections_;
  source.overlay = std::move(overlay);
  source.cold = cold_;
  source.user_schema = user_schema_;
  return source;
}

arrow::Result<std::shared_ptr<TableScan>> TableImpl::Scan(const ScanOptions& options, WriteSet::View overlay) const {
  ARROW_RETURN_NOT_OK(CheckReadable(options.snapshot));
  ScanSource source = MakeSource(std::move(overlay));
  if (options.threads != 0) {
    return RunPlan(std::move(source), options);
  }
  ScanOptions chosen = options;
  chosen.threads = static_cast<int>(database_->settings().scan_threads);
  return RunPlan(std::move(source), chosen);
}

arrow::Result<std::shared_ptr<TableScan>> TableImpl::RunPlan(ScanSource source, const ScanOptions& options) const {
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeScanPlan(std::move(source), options));
  if (indexes_.empty()) return RunScan(std::move(plan), options.snapshot);
  const Snapshot snapshot = options.snapshot.is_null() ? store().GetSnapshot() : options.snapshot;
  ARROW_ASSIGN_OR_RAISE(plan, UseIndex(*this, std::move(plan), snapshot));
  return RunScan(std::move(plan), snapshot);
}

arrow::Result<ComputedCursor> TableImpl::MakeComputed(const Snapshot& snapshot) const {
  const auto id = static_cast<SystemTableId>(definition().id);
  ARROW_ASSIGN_OR_RAISE(auto rows, MakeComputedRows(id, *database_->cold_tier(), database_->jobs(), snapshot));
  return ComputedCursor(std::move(rows), /*reverse=*/false);
}

arrow::Result<std::optional<Row>> TableImpl::GetComputed(std::string_view key, const Snapshot& snapshot) const {
  ARROW_ASSIGN_OR_RAISE(ComputedCursor cursor, MakeComputed(snapshot));
  cursor.ResetRange(key, KeySuccessor(key));
  const bool found = cursor.Next();
  ARROW_RETURN_NOT_OK(cursor.status());
  if (!found) return std::nullopt;
  return Row(row_schema_, visible_schema_, std::string(cursor.key()), std::string(cursor.value()));
}

arrow::Result<std::unique_ptr<Job>> TableImpl::StartJob(std::string kind, uint64_t expected_rows,
                                                        JobState state) const {
  return Job::Start(&database_->catalog(), &database_->jobs(), std::move(kind), definition().QualifiedName(),
                    expected_rows, state);
}

TableImpl::EncoderLease TableImpl::LeaseEncoder() const {
  {
    std::lock_guard lock(encoders_mutex_);
    if (!free_encoders_.empty()) {
      auto slot = std::move(free_encoders_.back());
      free_encoders_.pop_back();
      return EncoderLease(this, std::move(slot));
    }
    free_encoders_.reserve(encoders_ + 1);
    ++encoders_;
  }
  return EncoderLease(this, std::make_unique<EncoderSlot>(row_schema_, key_prefix_));
}

TableImpl::EncoderLease::~EncoderLease() {
  if (!slot_) return;  // moved from
  std::lock_guard lock(table_->encoders_mutex_);
  table_->free_encoders_.push_back(std::move(slot_));
}

Status TableImpl::CheckHasNoChecks() const {
  const auto& checks = definition().checks;
  if (checks.empty()) return Status::OK();
  return Status::Invalid("Table ", definition().QualifiedName(), " has the constraint CHECK(", checks.front(),
                         "), which SQL alone can test: write its rows with SQL");
}

Status TableImpl::EncodeRow(EncoderSlot* slot, ValueList values) const {
  ARROW_RETURN_NOT_OK(CheckHasNoChecks());
  if (!definition().has_hidden_row_id()) return slot->encoder.EncodeValues(values, &slot->key, &slot->row);
  if (values.size() != definition().visible_columns()) {
    return Status::Invalid("Table ", definition().QualifiedName(), " has ", definition().visible_columns(),
                           " columns but ", values.size(), " values were given");
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t row_id, entry_->row_ids->Take(1));
  slot->values.assign(values.begin(), values.end());
  slot->values.emplace_back(row_id);
  return slot->encoder.EncodeValues(slot->values, &slot->key, &slot->row);
}

Status TableImpl::EncodeKey(EncoderSlot* slot, ValueList key_values) const {
  const size_t parts = row_schema_->key_columns().size();
  if (key_values.size() != parts) {
    return Status::Invalid("Table ", definition().QualifiedName(), ": its key has ", parts, " column",
                           parts == 1 ? "" : "s", " but ", key_values.size(), " values were given");
  }
  return slot->encoder.EncodeKey(key_values, &slot->key);
}

Status TableImpl::CheckUserBatch(const arrow::RecordBatch& batch) const {
  ARROW_RETURN_NOT_OK(CheckHasNoChecks());
  if (user_schema_ == nullptr) return Status::OK();
  for (const auto& field : batch.schema()->fields()) {
    const int number = row_schema_->FindColumn(field->name());
    if (number < 0) continue;  // an error of its own
    const RowColumn& column = row_schema_->columns()[static_cast<size_t>(number)];
    const Status status = batch::CheckUserArray(*field->type(), column.type);
    if (status.ok()) continue;
    return status.WithMessage("table ", definition().QualifiedName(), ", column ", column.name, ": ", status.message());
  }
  return Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TableImpl::WithRowIds(const arrow::RecordBatch& batch) const {
  for (const auto& field : batch.schema()->fields()) {
    const int column = row_schema_->FindColumn(field->name());
    if (column >= 0 && static_cast<size_t>(column) < definition().visible_columns()) continue;
    std::string known;
    for (const auto& own : visible_schema_->fields()) known += (known.empty() ? "" : ", ") + own->name();
    return Status::Invalid("Table ", definition().QualifiedName(), " has no column '", field->name(),
                           "'; its columns are: ", known);
  }
  ARROW_ASSIGN_OR_RAISE(int64_t next, entry_->row_ids->Take(batch.num_rows()));
  arrow::Int64Builder ids;
  ARROW_RETURN_NOT_OK(ids.Reserve(batch.num_rows()));
  for (int64_t i = 0; i < batch.num_rows(); ++i) ids.UnsafeAppend(next++);
  ARROW_ASSIGN_OR_RAISE(auto column, ids.Finish());
  return batch.AddColumn(batch.num_columns(), arrow::field(kRowIdColumn, arrow::int64(), false), std::move(column));
}

}  // namespace yarrow
