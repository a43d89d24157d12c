#include "yarrow/table.h"

#include <utility>

#include "database/collect_scan.h"
#include "flush/row_expiry.h"
#include "flush/table_compaction.h"
#include "flush/table_flush.h"
#include "row/row_layout.h"
#include "store/home_process.h"
#include "store/store_commits.h"
#include "table/table_impl.h"
#include "write/bulk_load.h"
#include "write/row_changes.h"
#include "write/row_commit.h"

namespace yarrow {

using arrow::Status;

namespace {

const Status& StatusOf(const Status& status) {
  return status;
}
const Status& StatusOf(const arrow::Result<bool>& result) {
  return result.status();
}

// Runs one operation as a transaction of its own, again when it lost a race for a key. `Changed` says of its result
// whether there is anything to commit.
template <class Operation, class Changed>
auto Autocommit(const TableImpl& table, Operation operation, Changed changed)
    -> decltype(operation(std::declval<RowChanges&>())) {
  ARROW_RETURN_NOT_OK(table.CheckWritable());
  Store& store = table.store();
  while (true) {
    const auto token = store.commits().BeginWrite();
    WriteSet writes;
    RowChanges changes(store, token->snapshot(), &writes);
    auto result = operation(changes);
    if (const Status status = StatusOf(result); !status.ok()) return table.OutdatedOr(status);
    if (!changed(result)) return result;
    const TableImpl* const tables[] = {&table};
    const Status status = CommitRows(&writes, tables, token.get(), [&](const CommitOptions& options) {
      return store.commits().Commit(writes, options);
    });
    if (status.ok()) return result;
    // Against a changed definition no repetition helps.
    if (!IsConflict(status) || table.IsOutdated()) return status;
  }
}

Status AutocommitStatus(const TableImpl& table, auto operation) {
  return Autocommit(table, operation, [](const Status& status) { return status.ok(); });
}

arrow::Result<bool> AutocommitFound(const TableImpl& table, auto operation) {
  return Autocommit(table, operation, [](const arrow::Result<bool>& found) { return found.ok() && *found; });
}

}  // namespace

Table::Table(std::shared_ptr<TableImpl> impl) : impl_(std::move(impl)) {}
Table::~Table() = default;

const TableDefinition& Table::definition() const {
  return impl_->definition();
}
const std::shared_ptr<arrow::Schema>& Table::schema() const {
  return impl_->visible_schema();
}

arrow::Result<std::shared_ptr<TableScan>> Table::Scan(const ScanOptions& options) const {
  return impl_->Scan(options, {});
}

arrow::Result<std::optional<Row>> Table::Get(ValueList key, const Snapshot& snapshot) const {
  ARROW_RETURN_NOT_OK(impl_->CheckReadable(snapshot));
  auto slot = impl_->LeaseEncoder();
  ARROW_RETURN_NOT_OK(impl_->EncodeKey(slot.operator->(), key));
  if (!impl_->entry().partition.valid()) return impl_->GetComputed(slot->key, snapshot);
  PinnedValue bytes;
  ARROW_ASSIGN_OR_RAISE(const bool found, impl_->store().Get(impl_->entry().partition, slot->key, &bytes, snapshot));
  if (!found) {
    auto row = GetCold(*impl_, slot->key, snapshot);
    if (!row.ok() && snapshot.is_null()) return impl_->OutdatedOr(row.status());
    return row;
  }
  if (bytes.view().size() >= kRowHeaderSize && IsDeletedRow(bytes.view())) return std::nullopt;
  return Row(impl_->row_schema(), impl_->visible_schema(), slot->key, std::move(bytes));
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> Table::ScanAll() const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return CollectScan(*impl_);
}

Status Table::Put(ValueList row) {
  // Whose entries the row it replaces leaves is to be known.
  if (!impl_->indexes().empty()) {
    return AutocommitStatus(*impl_, [&](RowChanges& changes) { return changes.Put(*impl_, row); });
  }
  // Blind: needs no snapshot and meets no conflict.
  ARROW_RETURN_NOT_OK(impl_->CheckWritable());
  auto slot = impl_->LeaseEncoder();
  ARROW_RETURN_NOT_OK(impl_->EncodeRow(slot.operator->(), row));
  return CommitRow(*impl_, slot->key, slot->row);
}

Status Table::Insert(ValueList row) {
  return AutocommitStatus(*impl_, [&](RowChanges& changes) { return changes.Insert(*impl_, row); });
}

arrow::Result<bool> Table::Update(ValueList key, Assignments assignments) {
  return AutocommitFound(*impl_, [&](RowChanges& changes) { return changes.Update(*impl_, key, assignments); });
}

arrow::Result<bool> Table::Delete(ValueList key) {
  return AutocommitFound(*impl_, [&](RowChanges& changes) { return changes.Delete(*impl_, key); });
}

arrow::Result<bool> Table::SoftDelete(ValueList key) {
  return AutocommitFound(*impl_, [&](RowChanges& changes) { return changes.SoftDelete(*impl_, key); });
}

arrow::Result<bool> Table::Purge(ValueList key) {
  return AutocommitFound(*impl_, [&](RowChanges& changes) { return changes.Purge(*impl_, key); });
}

Status Table::Write(const arrow::RecordBatch& batch, WriteMode mode) {
  ARROW_RETURN_NOT_OK(impl_->CheckUserBatch(batch));
  return AutocommitStatus(*impl_, [&](RowChanges& changes) { return changes.Write(*impl_, batch, mode); });
}

arrow::Result<int64_t> Table::BulkLoad(arrow::RecordBatchReader* reader, const BulkLoadOptions& options) {
  return RunBulkLoad(*impl_, reader, options);
}

arrow::Result<FlushResult> Table::Flush(const FlushOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return FlushTable(impl_, options);
}

arrow::Result<CompactResult> Table::Compact(const CompactOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return CompactTable(impl_, options);
}

arrow::Result<int64_t> Table::Expire() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return ExpireRows(impl_);
}

}  // namespace yarrow
