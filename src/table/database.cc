#include "yarrow/database.h"

#include <deque>
#include <utility>

#include "store/home_process.h"
#include "store/store_impl.h"
#include "store/system_partition.h"
#include "table/bulk_load.h"
#include "table/check.h"
#include "table/database_impl.h"
#include "table/table_impl.h"
#include "table/transaction_impl.h"

namespace yarrow {

using arrow::Status;

arrow::Result<std::shared_ptr<DatabaseImpl>> DatabaseImpl::Open(std::shared_ptr<Store> store, cold::FileSystem* files) {
  std::shared_ptr<DatabaseImpl> impl(new DatabaseImpl(std::move(store)), DeleteAtHome());
  ARROW_ASSIGN_OR_RAISE(impl->catalog_, Catalog::Open(impl->store_));
  ARROW_ASSIGN_OR_RAISE(const Partition rows, OpenSystemPartition(*impl->store_, "rows"));
  impl->cold_tier_ = std::make_shared<ColdTier>(impl->store_, rows);
  impl->cold_tier_->files = files;
  ARROW_RETURN_NOT_OK(impl->LoadSettings());
  ARROW_RETURN_NOT_OK(impl->CleanJobs());
  ARROW_RETURN_NOT_OK(impl->CleanFiles());
  ARROW_RETURN_NOT_OK(impl->store_->SettleLosses());
  return impl;
}

arrow::Result<std::shared_ptr<Database>> DatabaseImpl::OpenOn(rocksdb::Env* env, cold::FileSystem* files,
                                                              const std::filesystem::path& path,
                                                              const StoreOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto store, OpenStoreOn(env, path, options));
  ARROW_ASSIGN_OR_RAISE(auto impl, Open(std::move(store), files));
  return std::shared_ptr<Database>(new Database(std::move(impl)));
}

arrow::Result<std::shared_ptr<ColdTable>> DatabaseImpl::OpenCold(const TableEntry& entry) {
  std::lock_guard lock(cold_mutex_);
  // Kept to the end: snapshots may outlive everybody who has the table open.
  std::shared_ptr<ColdTable>& table = cold_tables_[entry.definition->id];
  if (!table) {
    ARROW_ASSIGN_OR_RAISE(table, ColdTable::Load(cold_tier_, entry.definition->id, entry.places));
  }
  return table;
}

std::shared_ptr<ColdTable> DatabaseImpl::FindCold(uint32_t table_id) {
  std::lock_guard lock(cold_mutex_);
  const auto at = cold_tables_.find(table_id);
  return at == cold_tables_.end() ? nullptr : at->second;
}

// A job that was under way when the process ended left nothing behind, or everything: its commit is its last step. Of
// those that ended long ago, no record is kept.
Status DatabaseImpl::CleanJobs() {
  WriteSet writes;
  std::deque<JobKey> ended;
  for (const auto& entry : catalog_->jobs().ScanIter()) {
    ARROW_ASSIGN_OR_RAISE(JobRecord job, entry.value());
    ARROW_ASSIGN_OR_RAISE(const JobKey key, entry.key());
    if (job.state == JobStateName(JobState::kRunning) || job.state == JobStateName(JobState::kQueued)) {
      job.state = JobStateName(JobState::kFailed);
      job.error = "the process ended before the job, or before its end was recorded";
      catalog_->jobs().Put(&writes, key, job);
    }
    ended.push_back(key);
    if (ended.size() <= kMostJobRecords) continue;
    catalog_->jobs().Delete(&writes, ended.front());
    ended.pop_front();
  }
  return writes.empty() ? Status::OK() : store_->Commit(writes).status();
}

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

arrow::Result<std::shared_ptr<const TableDefinition>> Database::AlterTable(std::string_view qualified_name,
                                                                           const TableAlteration& alteration) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(const auto name, QualifiedName::Parse(qualified_name));
  ARROW_ASSIGN_OR_RAISE(auto entry, impl_->catalog().AlterTable(name, alteration));
  return entry->definition;
}

Status Database::DropTable(std::string_view qualified_name) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_ASSIGN_OR_RAISE(const auto name, QualifiedName::Parse(qualified_name));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto entry, impl_->catalog().Find(name));
    WriteSet writes;
    const Status status = impl_->CommitChanges({.dropped = {std::move(entry)}}, &writes).status();
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
Status Database::Compact() {
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
  ARROW_ASSIGN_OR_RAISE(auto draft, database_->catalog().DraftTable(spec, &changes));
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
