#include "write/transaction_impl.h"

#include <algorithm>
#include <utility>

#include "catalog/table_schema.h"
#include "key/record_key.h"
#include "store/guarded.h"
#include "store/home_process.h"
#include "tier/removed_segments.h"
#include "write/index_build.h"
#include "write/null_check.h"
#include "write/reference_check.h"
#include "write/row_commit.h"

namespace yarrow {

using arrow::Status;

TransactionImpl::TransactionImpl(std::shared_ptr<DatabaseImpl> database, std::string user)
    : database_(std::move(database)),
      user_(std::move(user)),
      token_(database_->store()->commits().BeginWrite()),
      snapshot_(token_->snapshot()) {}

Status TransactionImpl::CheckTable(const TableImpl& table) const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  if (&table.database() != database_.get()) {
    return Status::Invalid("Table ", table.definition().QualifiedName(),
                           " belongs to another database than the transaction");
  }
  if (table.definition().kind == TableKind::kUser && table.user() != user_) {
    return Status::Invalid("Table ", table.definition().QualifiedName(),
                           " was opened for another user than the transaction's; open it in the same session");
  }
  return Status::OK();
}

std::vector<cold::ManifestKey> TransactionImpl::KeysOfRemoved() const {
  const WriteSet::View view = writes_.GetView();
  std::vector<cold::ManifestKey> keys;
  for (const auto& table : touched_) {
    for (const auto& segment : RemovedSegmentsOf(table->definition().id, view)) keys.push_back(segment->key());
  }
  return keys;
}

void TransactionImpl::Touch(const std::shared_ptr<TableImpl>& table) {
  const auto same = [&](const auto& touched) { return &touched->entry() == &table->entry(); };
  if (std::none_of(touched_.begin(), touched_.end(), same)) touched_.push_back(table);
}

WriteSet::View TransactionImpl::SealedWrites() {
  writes_.Seal();
  return writes_.GetView();
}

Status TransactionImpl::Commit() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  Status status;
  if (!writes_.empty() || !changes_.empty()) {
    status = CommitRows(&writes_, Touched(), token_.get(), [&](const CommitOptions& options) {
      return changes_.empty() ? database_->store()->commits().Commit(writes_, options)
                              : database_->CommitChanges(changes_, &writes_, options);
    });
  }
  status = Explain(status);
  // They came with the commit that removed the others.
  if (status.ok() && !(written_and_dropped_.empty() && written_and_dropped_indexes_.empty())) {
    // Else the next Open removes them.
    ARROW_UNUSED(database_->catalog().RemoveRows(written_and_dropped_, written_and_dropped_indexes_));
  }
  std::vector<cold::ManifestKey> removed;
  if (status.ok()) ARROW_UNUSED(RunGuarded([&] { removed = KeysOfRemoved(); }));
  Rollback();
  if (removed.empty()) return status;
  // What is left of both is tried again.
  ARROW_UNUSED(RunGuarded([&] { return database_->cold_tier()->deleted.DropOverrides(removed); }));
  ARROW_UNUSED(database_->RemoveDeletedFiles());
  return status;
}

Status TransactionImpl::FinishStatement() {
  ARROW_RETURN_NOT_OK(Explain(database_->store()->commits().CheckConflicts(writes_, *token_)));
  return CheckReferences();
}

Status TransactionImpl::CheckReferences() {
  return yarrow::CheckReferences(Touched(), snapshot_, &writes_);
}

std::vector<const TableImpl*> TransactionImpl::Touched() const {
  std::vector<const TableImpl*> tables;
  for (const auto& table : touched_) tables.push_back(table.get());
  return tables;
}

Status TransactionImpl::Explain(const Status& status) const {
  const ConflictKey* conflict = FindConflictKey(status);
  if (conflict == nullptr) return IsConflict(status) ? ExplainOutdated(status) : status;
  if (conflict->partition_id == kNoPartition) {
    return ConflictError(
        "write conflict: another transaction removed a row that rows of this one refer to by a FOREIGN KEY, or wrote "
        "rows that refer to a row that this one removes; run the transaction again");
  }
  for (const auto& table : touched_) {
    if (std::string_view(conflict->key).starts_with(RecordPrefix(RecordKind::kOverride, table->definition().id))) {
      return ConflictError("write conflict: another transaction changed a row of table " +
                           table->definition().QualifiedName() + " after this one began; run the transaction again");
    }
    for (const TableIndex& index : table->indexes()) {
      if (!std::string_view(conflict->key).starts_with(index.keys.prefix())) continue;
      return ConflictError("write conflict: another transaction wrote a row of table " +
                               table->definition().QualifiedName() + " with " + index.keys.Describe(conflict->key) +
                               " after this one began; run the transaction again",
                           *conflict);
    }
    const bool is_its_key = table->entry().partition.id() == conflict->partition_id &&
                            std::string_view(conflict->key).starts_with(table->key_prefix());
    if (!is_its_key) continue;
    return ConflictError("write conflict: another transaction changed the row of table " +
                             table->definition().QualifiedName() + " with " +
                             table->row_schema()->DescribeKey(conflict->key) +
                             " after this one began; run the transaction again",
                         *conflict);
  }
  return status;
}

Status TransactionImpl::ExplainOutdated(const Status& status) const {
  for (const auto& table : touched_) {
    if (!table->IsOutdated()) continue;
    const bool is_there = database_->catalog().View()->Find(table->definition().id) != nullptr;
    return ConflictError("table " + table->definition().QualifiedName() + ": another transaction has " +
                         (is_there ? "altered" : "dropped") +
                         " this table after this one began; run the transaction again");
  }
  return status;
}

void TransactionImpl::Rollback() {
  token_.reset();
  snapshot_ = {};
  writes_.Clear();
  touched_.clear();
  written_and_dropped_.clear();
  written_and_dropped_indexes_.clear();
  changes_ = {};
}

Status TransactionImpl::CreateSchema(const std::string& name) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  const auto same_name = [&](const auto& schema) { return FoldCase(schema->name) == FoldCase(name); };
  if (std::ranges::any_of(changes_.created_schemas, same_name)) {
    return Status::AlreadyExists("Schema ", name, " exists already");
  }
  ARROW_ASSIGN_OR_RAISE(auto schema, database_->catalog().DraftSchema(name, &changes_));
  changes_.created_schemas.push_back(std::move(schema));
  return Status::OK();
}

Status TransactionImpl::DropSchema(const std::shared_ptr<const SchemaEntry>& schema) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  ARROW_RETURN_NOT_OK(Catalog::CheckDroppable(*schema));
  if (std::erase(changes_.created_schemas, schema) == 0) changes_.dropped_schemas.push_back(schema);
  return Status::OK();
}

Status TransactionImpl::CreateTable(const TableSpec& spec) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  const auto same_name = [&](const auto& entry) {
    return FoldCase(entry->definition->name) == FoldCase(spec.name) &&
           FoldCase(entry->definition->schema_name) == FoldCase(spec.schema_name);
  };
  const auto altered_to_it = [&](const AlteredTable& altered) { return same_name(altered.after); };
  if (std::ranges::any_of(changes_.created, same_name) || std::ranges::any_of(changes_.altered, altered_to_it)) {
    return Status::AlreadyExists("Table ", spec.schema_name, ".", spec.name, " exists already");
  }
  const auto view = database_->catalog().View();
  std::shared_ptr<const ObjectEntry> holder;
  if (view->has_objects()) {  // to ask for it waits for changes that are being committed
    holder = database_->catalog().FindObjectAt(ObjectKind::kView, {spec.schema_name, spec.name}, snapshot_);
  }
  if (holder != nullptr && std::ranges::find(changes_.dropped_objects, holder) == changes_.dropped_objects.end()) {
    return Status::AlreadyExists("Table ", spec.schema_name, ".", spec.name, ": ", holder->Description(),
                                 " has its name");
  }
  ARROW_ASSIGN_OR_RAISE(auto draft, database_->catalog().DraftTable(spec, &changes_));
  ARROW_RETURN_NOT_OK(database_->catalog().AddReferences(*draft->definition, &changes_));
  changes_.created.push_back(std::move(draft));
  return Status::OK();
}

Status TransactionImpl::AlterTable(const std::shared_ptr<const TableEntry>& entry, const TableAlteration& alteration,
                                   const OnProgress& on_progress) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  ARROW_ASSIGN_OR_RAISE(auto after, database_->catalog().DraftAlteration(entry, alteration, &changes_));
  if (after == entry) return Status::OK();
  if (const auto* not_null = std::get_if<SetNotNull>(&alteration)) {
    ARROW_RETURN_NOT_OK(CheckNoNulls(database_, entry, not_null->name, snapshot_, SealedWrites(), user_));
    ReadWhole(entry);
  }
  if (std::holds_alternative<CreateIndex>(alteration)) {
    const auto before = writes_.MakeSavepoint();
    const Status built = BuildIndex(database_, after, snapshot_, user_, on_progress, &writes_);
    if (!built.ok()) writes_.RollbackTo(before);
    ARROW_RETURN_NOT_OK(built);
    ReadWhole(entry);
  }
  if (std::holds_alternative<DropIndex>(alteration) && !writes_.empty()) NoteDroppedIndexes(*entry, *after);
  const auto made = std::ranges::find(changes_.created, entry);
  const auto altered = std::ranges::find(changes_.altered, entry, &AlteredTable::after);
  if (made != changes_.created.end()) {
    *made = std::move(after);
  } else if (altered != changes_.altered.end()) {
    altered->after = std::move(after);
  } else {
    changes_.altered.push_back({entry, std::move(after)});
  }
  return Status::OK();
}

void TransactionImpl::NoteDroppedIndexes(const TableEntry& before, const TableEntry& after) {
  for (const IndexDefinition& index : before.definition->indexes) {
    const bool stays = std::ranges::count(after.definition->indexes, index.id, &IndexDefinition::id) > 0;
    if (!stays) written_and_dropped_indexes_.push_back(index);
  }
}

void TransactionImpl::ReadWhole(const std::shared_ptr<const TableEntry>& entry) {
  if (std::ranges::find(changes_.created, entry) != changes_.created.end()) return;
  const auto altered = std::ranges::find(changes_.altered, entry, &AlteredTable::after);
  changes_.read_whole.push_back(altered == changes_.altered.end() ? entry : altered->before);
}

Status TransactionImpl::DropTable(const std::shared_ptr<const TableEntry>& entry) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  if (entry->definition->kind == TableKind::kSystem) {
    return Status::Invalid("Table ", entry->definition->QualifiedName(),
                           " belongs to the database and cannot be dropped");
  }
  database_->catalog().RemoveReferences(*entry->definition, &changes_);
  const uint32_t id = entry->definition->id;
  const auto written = std::erase_if(touched_, [&](const auto& table) { return table->definition().id == id; });
  if (written > 0) written_and_dropped_.push_back(entry);
  if (std::erase_if(changes_.created, [&](const auto& made) { return made->definition->id == id; }) > 0) {
    return Status::OK();
  }
  const auto altered =
      std::ranges::find_if(changes_.altered, [&](const AlteredTable& one) { return one.after->definition->id == id; });
  changes_.dropped.push_back(altered == changes_.altered.end() ? entry : altered->before);
  if (altered != changes_.altered.end()) changes_.altered.erase(altered);
  return Status::OK();
}

Status TransactionImpl::CreateObject(std::shared_ptr<const ObjectEntry> object) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  ARROW_RETURN_NOT_OK(database_->catalog().CheckNewObject(*object, &changes_));
  changes_.created_objects.push_back(std::move(object));
  return Status::OK();
}

Status TransactionImpl::DropObject(const std::shared_ptr<const ObjectEntry>& object) {
  if (!is_active()) return Status::Invalid("The transaction is over; begin another");
  if (std::erase(changes_.created_objects, object) == 0) changes_.dropped_objects.push_back(object);
  return Status::OK();
}

}  // namespace yarrow
