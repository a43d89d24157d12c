#include "yarrow/database.h"

#include <algorithm>
#include <string>
#include <utility>

#include "catalog/table_schema.h"
#include "database/check.h"
#include "flush/online_index.h"
#include "store/home_process.h"
#include "store/write_set.h"
#include "table/database_impl.h"
#include "table/table_impl.h"
#include "write/bulk_load.h"
#include "write/transaction_impl.h"

namespace yarrow {

using arrow::Status;

Database::Database(std::shared_ptr<DatabaseImpl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

arrow::Result<std::shared_ptr<Session>> Database::OpenSession(const SessionOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (!options.user.empty()) {
    auto text = Value(options.user).CastTo(TypeId::kUtf8);  // as system.users records it
    if (!text.ok()) return text.status().WithMessage("The user's name is no text: ", text.status().message());
    ARROW_RETURN_NOT_OK(impl_->catalog().EnsureUser(options.user));
  }
  return std::shared_ptr<Session>(new Session(impl_, options.user));
}

Status Database::CreateSchema(std::string_view name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return impl_->catalog().CreateSchema(name);
}
Status Database::DropSchema(std::string_view name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return impl_->catalog().DropSchema(name);
}
std::vector<std::string> Database::Schemas() const {
  return HomeProcess::IsHome() ? impl_->catalog().Schemas() : std::vector<std::string>();
}

arrow::Result<std::shared_ptr<const TableDefinition>> Database::CreateTable(const TableSpec& spec) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(auto entry, impl_->catalog().CreateTable(spec));
  return entry->definition;
}

namespace {

// For a change that reads rows.
Status AlterInTransaction(const std::shared_ptr<DatabaseImpl>& database, const QualifiedName& name,
                          const TableAlteration& alteration) {
  for (;;) {
    TransactionImpl transaction(database, "");
    ARROW_ASSIGN_OR_RAISE(const auto entry, database->catalog().Find(name));
    Status status = transaction.AlterTable(entry, alteration);
    if (status.ok()) status = transaction.Commit();
    if (!IsConflict(status)) return status;  // else rows came between
  }
}

}  // namespace

arrow::Result<std::shared_ptr<const TableDefinition>> Database::AlterTable(std::string_view qualified_name,
                                                                           const TableAlteration& alteration) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(const auto name, QualifiedName::Parse(qualified_name));
  if (std::holds_alternative<SetNotNull>(alteration)) {
    ARROW_RETURN_NOT_OK(AlterInTransaction(impl_, name, alteration));
    return FindTable(qualified_name);
  }
  if (const auto* create = std::get_if<CreateIndex>(&alteration)) {
    ARROW_ASSIGN_OR_RAISE(const auto table, impl_->catalog().Find(name));
    ARROW_RETURN_NOT_OK(CreateIndexOnline(impl_, table, create->index, {}));
    return FindTable(qualified_name);
  }
  ARROW_ASSIGN_OR_RAISE(auto entry, impl_->catalog().AlterTable(name, alteration));
  return entry->definition;
}

namespace {

// Whether an expression of another table may name the sequence: it has the name in it.
bool MayBeUsed(const CatalogView& view, const ObjectEntry& sequence, const TableEntry& owner) {
  const std::string name = FoldCase(sequence.name);
  const auto has = [&](const std::string& text) { return FoldCase(text).find(name) != std::string::npos; };
  return std::ranges::any_of(view.Tables(), [&](const auto& table) {
    const TableDefinition& definition = *table->definition;
    if (definition.id == owner.definition->id) return false;
    return std::ranges::any_of(definition.columns, [&](const auto& c) { return has(c.default_expression); }) ||
           std::ranges::any_of(definition.generated_columns, [&](const auto& c) { return has(c.expression); }) ||
           std::ranges::any_of(definition.checks, has);
  });
}

}  // namespace

Status Database::DropTable(std::string_view qualified_name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(const auto name, QualifiedName::Parse(qualified_name));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto entry, impl_->catalog().Find(name));
    WriteSet writes;
    CatalogChanges changes{.dropped = {entry}};
    impl_->catalog().RemoveReferences(*entry->definition, &changes);
    const auto view = impl_->catalog().View();
    for (const auto& object : view->Objects()) {
      const bool goes = object->owner_table_id == entry->definition->id && !MayBeUsed(*view, *object, *entry);
      if (goes) changes.dropped_objects.push_back(object);
    }
    const Status status = impl_->CommitChanges(changes, &writes).status();
    if (!IsConflict(status)) return status;  // else it was altered meanwhile
  }
}

arrow::Result<std::shared_ptr<const TableDefinition>> Database::FindTable(std::string_view qualified_name) const {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(const auto name, QualifiedName::Parse(qualified_name));
  ARROW_ASSIGN_OR_RAISE(auto entry, impl_->catalog().Find(name));
  return entry->definition;
}

std::vector<std::shared_ptr<const TableDefinition>> Database::Tables() const {
  std::vector<std::shared_ptr<const TableDefinition>> definitions;
  if (!HomeProcess::IsHome()) return definitions;
  for (const auto& entry : impl_->catalog().Tables()) definitions.push_back(entry->definition);
  return definitions;
}

void Database::AddJobListener(std::shared_ptr<JobListener> listener) {
  if (HomeProcess::IsHome()) impl_->jobs().AddListener(std::move(listener));
}
void Database::RemoveJobListener(const JobListener* listener) {
  if (HomeProcess::IsHome()) impl_->jobs().RemoveListener(listener);
}
Status Database::CancelJob(uint64_t job_id) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return impl_->jobs().Cancel(job_id, "cancelled on request");
}

Status Database::SetSetting(std::string_view name, std::string_view value) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return impl_->SetSetting(name, value);
}
Snapshot Database::GetSnapshot() const {
  return impl_->store()->GetSnapshot();
}
arrow::Result<CheckReport> Database::Check(const DatabaseCheckOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return CheckDatabase(impl_, options);
}
Status Database::CompactHotTier() {
  return impl_->store()->CompactAll();
}
arrow::Result<int64_t> Database::RemoveDeletedFiles() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return impl_->RemoveDeletedFiles();
}
const std::shared_ptr<Store>& Database::store() const {
  return impl_->store();
}

Session::Session(std::shared_ptr<DatabaseImpl> database, std::string user)
    : database_(std::move(database)), user_(std::move(user)) {}
Session::~Session() = default;
const std::string& Session::user() const {
  return user_;
}

arrow::Result<std::shared_ptr<Table>> Session::OpenTable(std::string_view qualified_name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(const auto name, QualifiedName::Parse(qualified_name));
  ARROW_ASSIGN_OR_RAISE(auto entry, database_->catalog().Find(name));
  if (entry->ended_at->load(std::memory_order_acquire) != 0) {  // as far as is known: a change is being committed
    database_->catalog().FindLatest(*entry);
    ARROW_ASSIGN_OR_RAISE(entry, database_->catalog().Find(name));
  }
  ARROW_ASSIGN_OR_RAISE(auto impl, TableImpl::Make(database_, std::move(entry), user_));
  return std::shared_ptr<Table>(new Table(std::move(impl)));
}

arrow::Result<int64_t> Session::CreateTableAs(const TableSpec& spec, arrow::RecordBatchReader* reader,
                                              const BulkLoadOptions& options) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  CatalogChanges changes;
  ARROW_ASSIGN_OR_RAISE(auto draft, database_->catalog().DraftTable(spec));
  ARROW_ASSIGN_OR_RAISE(const auto table, TableImpl::Make(database_, draft, user_));
  changes.created.push_back(std::move(draft));
  auto rows = RunBulkLoad(*table, reader, options, changes);
  const bool is_taken = IsConflict(rows.status()) && database_->catalog().Find({spec.schema_name, spec.name}).ok();
  return is_taken ? Status::AlreadyExists(rows.status().message()) : rows;
}

arrow::Result<std::unique_ptr<Transaction>> Session::Begin() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  return std::unique_ptr<Transaction>(new Transaction(std::make_unique<TransactionImpl>(database_, user_)));
}

}  // namespace yarrow
