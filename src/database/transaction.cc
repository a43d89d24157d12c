#include "yarrow/transaction.h"

#include <utility>

#include "store/home_process.h"
#include "write/transaction_impl.h"

namespace yarrow {

using arrow::Status;

Transaction::Transaction(std::unique_ptr<TransactionImpl> impl) : impl_(std::move(impl)) {}
Transaction::~Transaction() = default;

namespace {

// Checks, then runs one operation on the transaction's state.
template <class Operation>
auto Write(TransactionImpl& transaction, const std::shared_ptr<TableImpl>& table, Operation operation)
    -> decltype(operation(std::declval<RowChanges&>(), *table)) {
  ARROW_RETURN_NOT_OK(transaction.CheckTable(*table));
  ARROW_RETURN_NOT_OK(table->CheckWritable());
  RowChanges changes = transaction.Changes();
  if (!table->has_references()) {
    auto result = operation(changes, *table);
    if (result.ok()) transaction.Touch(table);
    return result;
  }
  const auto before = transaction.MakeSavepoint();
  auto result = operation(changes, *table);
  if (!result.ok()) return result;
  transaction.Touch(table);
  const Status status = transaction.CheckReferences();
  if (!status.ok()) transaction.RollbackTo(before);
  ARROW_RETURN_NOT_OK(status);
  return result;
}

}  // namespace

arrow::Result<std::shared_ptr<TableScan>> Transaction::Scan(const Table& table, const ScanOptions& options) {
  ARROW_RETURN_NOT_OK(impl_->CheckTable(*table.impl_));
  if (!options.snapshot.is_null()) {
    return Status::Invalid("Scan of ", table.definition().QualifiedName(),
                           ": a transaction reads its own snapshot; leave ScanOptions::snapshot unset");
  }
  ScanOptions at_snapshot = options;
  at_snapshot.snapshot = impl_->snapshot();
  return table.impl_->Scan(at_snapshot, impl_->SealedWrites());
}

arrow::Result<std::optional<Row>> Transaction::Get(const Table& table, ValueList key) {
  ARROW_RETURN_NOT_OK(impl_->CheckTable(*table.impl_));
  ARROW_RETURN_NOT_OK(table.impl_->CheckReadable(impl_->snapshot()));
  return impl_->Changes().Get(*table.impl_, key);
}

Status Transaction::Put(const Table& table, ValueList row) {
  return yarrow::Write(*impl_, table.impl_, [&](RowChanges& c, const TableImpl& t) { return c.Put(t, row); });
}

Status Transaction::Insert(const Table& table, ValueList row) {
  return yarrow::Write(*impl_, table.impl_, [&](RowChanges& c, const TableImpl& t) { return c.Insert(t, row); });
}

arrow::Result<bool> Transaction::Update(const Table& table, ValueList key, Assignments assignments) {
  return yarrow::Write(*impl_, table.impl_,
                       [&](RowChanges& c, const TableImpl& t) { return c.Update(t, key, assignments); });
}

arrow::Result<bool> Transaction::Delete(const Table& table, ValueList key) {
  return yarrow::Write(*impl_, table.impl_, [&](RowChanges& c, const TableImpl& t) { return c.Delete(t, key); });
}

arrow::Result<bool> Transaction::SoftDelete(const Table& table, ValueList key) {
  return yarrow::Write(*impl_, table.impl_, [&](RowChanges& c, const TableImpl& t) { return c.SoftDelete(t, key); });
}

arrow::Result<bool> Transaction::Purge(const Table& table, ValueList key) {
  return yarrow::Write(*impl_, table.impl_, [&](RowChanges& c, const TableImpl& t) { return c.Purge(t, key); });
}

Status Transaction::Write(const Table& table, const arrow::RecordBatch& batch, WriteMode mode) {
  ARROW_RETURN_NOT_OK(table.impl_->CheckUserBatch(batch));
  return yarrow::Write(*impl_, table.impl_, [&](RowChanges& c, const TableImpl& t) { return c.Write(t, batch, mode); });
}

Status Transaction::Commit() {
  return impl_->Commit();
}

Status Transaction::Rollback() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (!impl_->is_active()) return Status::Invalid("The transaction is over; begin another");
  impl_->Rollback();
  return Status::OK();
}

bool Transaction::is_active() const {
  return impl_->is_active();
}
const Snapshot& Transaction::snapshot() const {
  return impl_->snapshot();
}

}  // namespace yarrow
