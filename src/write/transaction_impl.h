// Transaction behind its facade, and the short ones that single calls make.
#pragma once

#include <arrow/status.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "cold/segment_key.h"
#include "job/job.h"
#include "store/store_commits.h"
#include "table/database_impl.h"
#include "table/table_impl.h"
#include "write/bulk_change.h"
#include "write/row_changes.h"
#include "write/row_removal.h"

namespace yarrow {

class TransactionImpl {
 public:
  TransactionImpl(std::shared_ptr<DatabaseImpl> database, std::string user);

  // The state to read and write for an operation on `table`; an error when the transaction is over, when the table
  // belongs to another database or, being a user table, to another user.
  arrow::Status CheckTable(const TableImpl& table) const;
  RowChanges Changes() { return RowChanges(*database_->store(), token_->snapshot(), &writes_); }
  arrow::Result<uint64_t> Apply(BulkChange* change) { return change->Apply(token_->snapshot(), &writes_); }
  // See write/row_removal.h.
  arrow::Result<uint64_t> RemoveSegments(const TableImpl& table) {
    return yarrow::RemoveSegments(table, token_->snapshot(), &writes_);
  }
  arrow::Result<uint64_t> RemoveAllRows(const TableImpl& table, const std::atomic<bool>& cancelled) {
    return yarrow::RemoveAllRows(table, token_->snapshot(), cancelled, &writes_);
  }
  // Notes that `table` was written with its present definition.
  void Touch(const std::shared_ptr<TableImpl>& table);

  // Schemas and tables made, altered and dropped by the transaction. The caller has looked whether they are there in
  // its snapshot, and drops the tables of a schema before the schema.
  arrow::Status CreateSchema(const std::string& name);
  arrow::Status DropSchema(const std::shared_ptr<const SchemaEntry>& schema);
  arrow::Status CreateTable(const TableSpec& spec);
  // `on_progress`: of a change that reads or writes rows, see BuildIndex.
  arrow::Status AlterTable(const std::shared_ptr<const TableEntry>& entry, const TableAlteration& alteration,
                           const OnProgress& on_progress = {});
  arrow::Status DropTable(const std::shared_ptr<const TableEntry>& entry);
  // Before a table that it alters or drops: the commit is to fail when another has changed a row since the snapshot.
  void ReadWhole(const std::shared_ptr<const TableEntry>& entry);
  arrow::Status CreateObject(std::shared_ptr<const ObjectEntry> object);
  arrow::Status DropObject(const std::shared_ptr<const ObjectEntry>& object);
  const CatalogChanges& catalog_changes() const { return changes_; }

  // Whether it has made or removed segments.
  bool changes_segments() const { return writes_.external_runs() > 0; }
  // The writes so far, for a scan that starts now.
  WriteSet::View SealedWrites();
  const Snapshot& snapshot() const { return snapshot_; }
  bool is_active() const { return token_ != nullptr; }

  // After a statement: an error when its writes break a FOREIGN KEY, IsConflict() when they make it certain that Commit
  // will fail.
  arrow::Status FinishStatement();
  arrow::Status CheckReferences();
  WriteSet::Savepoint MakeSavepoint() { return writes_.MakeSavepoint(); }
  void RollbackTo(const WriteSet::Savepoint& savepoint) { writes_.RollbackTo(savepoint); }
  arrow::Status Commit();
  void Rollback();

 private:
  // Of the segments that it removes as a whole.
  std::vector<cold::ManifestKey> KeysOfRemoved() const;
  std::vector<const TableImpl*> Touched() const;
  // A conflict in terms of tables and their keys.
  arrow::Status Explain(const arrow::Status& status) const;
  arrow::Status ExplainOutdated(const arrow::Status& status) const;
  void NoteDroppedIndexes(const TableEntry& before, const TableEntry& after);

  const std::shared_ptr<DatabaseImpl> database_;
  const std::string user_;
  std::unique_ptr<WriteTransactionToken> token_;  // null when over
  Snapshot snapshot_;
  WriteSet writes_;
  CatalogChanges changes_;
  std::vector<std::shared_ptr<TableImpl>> touched_;  // keeps the guards alive
  std::vector<std::shared_ptr<const TableEntry>> written_and_dropped_;
  std::vector<IndexDefinition> written_and_dropped_indexes_;
};

}  // namespace yarrow
