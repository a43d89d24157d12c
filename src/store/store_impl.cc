#include "store/store_impl.h"

#include <rocksdb/transaction_log.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "store/log_recovery.h"
#include "store/oldest_log.h"
#include "store/recovery_listener.h"
#include "store/rocksdb_options.h"
#include "store/rocksdb_status.h"
#include "store/store_directory.h"
#include "store/store_env.h"

namespace yarrow {

StoreImpl::StoreImpl(std::filesystem::path canonical_path, const StoreOptions& store_options)
    : path(std::move(canonical_path)),
      options(store_options),
      block_cache(MakeBlockCache(options.block_cache_bytes)),
      partition_options(MakePartitionOptions(options, block_cache)),
      commits(options.commit_table_budget_bytes, path / "tmp", [this](uint32_t id) { return PartitionName(id); }) {
  commits.AddListener(&empty_ranges);
}

StoreImpl::~StoreImpl() {
  log_syncer_.reset();
  if (db == nullptr) return;
  file_merger->Stop();  // they use the handles
  read_triggered_compaction.Stop();
  // One to which nothing was written stays empty, and goes when it is closed.
  std::unique_ptr<rocksdb::LogFile> log;
  const bool is_written = !db->GetCurrentWalFile(&log).ok() || log->SizeFileBytes() > 0;
  if (options.durability == Durability::kOs && is_written) (void)SyncLog();
  for (NamedPartition& partition : partitions_by_id_) {
    if (partition.handle != nullptr) (void)db->DestroyColumnFamilyHandle(partition.handle.release());
  }
  (void)db->Close();
}

arrow::Status StoreImpl::Open(bool create_if_missing, rocksdb::Env* env) {
  if (env == nullptr) env = StoreEnv();
  StoreDirectory directory(path, env, &directory_lock);
  ARROW_RETURN_NOT_OK(directory.Prepare(create_if_missing));
  ARROW_RETURN_NOT_OK(OpenDb(directory.hot(), directory.creating(), env));
  if (directory.creating()) ARROW_RETURN_NOT_OK(directory.FinishCreation());
  ARROW_RETURN_NOT_OK(directory.SweepTemporary());
  if (options.durability == Durability::kGrouped) {
    // A sync that fails makes RocksDB refuse what is written from then on.
    log_syncer_ = std::make_unique<LogSyncer>(std::chrono::milliseconds(options.group_commit_interval_ms),
                                              [this] { (void)SyncLog(); });
    ARROW_RETURN_NOT_OK(log_syncer_->Start());
  }
  return arrow::Status::OK();
}

namespace {

arrow::Status OpenError(const std::filesystem::path& path, rocksdb::Env* env, const rocksdb::Status& status) {
  const std::string message = status.ToString();
  if (message.find("lock hold by current process") != std::string::npos) {
    return arrow::Status::IOError("the database at '", path.string(),
                                  "' is open in this process outside of Yarrow; close it there");
  }
  if (const std::optional<int> holder = StoreDirectory(path, env, nullptr).LockHolder())
    return LockedError(path, holder);
  for (const int refusal : {EACCES, EPERM, EROFS}) {
    if (message.find(std::strerror(refusal)) != std::string::npos) return AccessError(path, message, refusal);
  }
  if (message.find("Too many open files") != std::string::npos) {
    return arrow::Status::IOError("the database at '", path.string(), "' cannot be opened, too many files are open (",
                                  message, "): close some, or raise the limit (ulimit -n), and try again");
  }
  if (status.IsNoSpace()) {
    return arrow::Status::IOError("the database at '", path.string(), "' cannot be opened, the disk is full (", message,
                                  "): make room, and try again");
  }
  if (status.IsIOError() && message.find("No such file") == std::string::npos) {
    return arrow::Status::IOError("the database at '", path.string(), "' cannot be opened: ", message);
  }
  return arrow::Status::IOError("the database at '", path.string(), "' cannot be opened, it may be damaged (", message,
                                "): restore it from a backup, or copy what is left with RocksDB's repair tool");
}

}  // namespace

arrow::Status StoreImpl::OpenDb(const std::filesystem::path& hot, bool create, rocksdb::Env* env) {
  rocksdb::Options db_options(MakeDbOptions(options), partition_options);
  db_options.env = env;
  db_options.create_if_missing = create;
  db_options.listeners.push_back(file_listener);
  db_options.listeners.push_back(std::make_shared<RecoveryListener>());
  db_options.listeners.push_back(file_merger);
  ARROW_RETURN_NOT_OK(PrepareLog(hot, env, &db_options));
  std::vector<std::string> names;
  if (create) {
    names.push_back(rocksdb::kDefaultColumnFamilyName);
  } else {
    const rocksdb::Status listed = rocksdb::DB::ListColumnFamilies(db_options, hot.string(), &names);
    if (!listed.ok()) return OpenError(path, env, listed);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, partition_options);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(db_options, hot.string(), descriptors, &handles, &opened);
  if (!status.ok()) return OpenError(path, env, status);
  db.reset(opened);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    const uint32_t id = handle->GetID();
    if (partitions_by_id_.size() <= id) partitions_by_id_.resize(id + 1);
    partitions_by_id_[id] = {handle->GetName(), std::unique_ptr<rocksdb::ColumnFamilyHandle>(handle)};
    partitions_by_name_.emplace(handle->GetName(), MakePartition(handle));
  }
  WriteOutTombstones();
  if (!options.disable_auto_compaction) {
    ARROW_RETURN_NOT_OK(file_merger->Start(opened, [this](const std::string& name) { return FindHandle(name); }));
    read_triggered_compaction.Start(opened);
  }
  return arrow::Status::OK();
}

// With more to read again than this, it is written to SST files at open, so that the next open is quick. With less it
// stays in the log: a program that commits a row and ends leaves no file of its own.
constexpr uint64_t kMostRecoveredLogs = 4;
constexpr uint64_t kMostRecoveredBytes = 8 << 20;

arrow::Status StoreImpl::PrepareLog(const std::filesystem::path& hot, rocksdb::Env* env, rocksdb::Options* db_options) {
  // Nobody else may open the database meanwhile. RocksDB takes the lock itself then.
  rocksdb::FileLock* lock = nullptr;
  const rocksdb::Status locked = env->LockFile((hot / "LOCK").string(), &lock);
  if (!locked.ok()) return OpenError(path, env, locked);
  const arrow::Status recovered = RecoverLog(hot, env, db_options);
  (void)env->UnlockFile(lock);
  return recovered;
}

arrow::Status StoreImpl::RecoverLog(const std::filesystem::path& hot, rocksdb::Env* env, rocksdb::Options* db_options) {
  ARROW_ASSIGN_OR_RAISE(log_ledger, LogLedger::Open(env, hot.string()));
  LogRecovery recovery(env, path, log_ledger.get(), [&] { return FindOldestNeededLog(*db_options, hot.string()); });
  ARROW_RETURN_NOT_OK(recovery.Run(options.salvage));
  ARROW_RETURN_NOT_OK(LoadLosses());
  log_env = std::make_unique<LogEnv>(env, log_ledger.get(), options.durability != Durability::kSync);
  db_options->env = log_env.get();
  db_options->avoid_flush_during_recovery =
      recovery.files() <= kMostRecoveredLogs && recovery.bytes() <= kMostRecoveredBytes;
  return arrow::Status::OK();
}

// So many tombstones in a memtable that was read from the log are written out at open: nobody knows any more which of
// them lie together, and compaction drops them then. Scans step over fewer in some milliseconds.
constexpr uint64_t kMostRecoveredTombstones = 10'000;

void StoreImpl::WriteOutTombstones() {
  for (const NamedPartition& partition : partitions_by_id_) {
    uint64_t tombstones = 0;
    if (partition.handle == nullptr) continue;
    db->GetIntProperty(partition.handle.get(), rocksdb::DB::Properties::kNumDeletesActiveMemTable, &tombstones);
    // On a full disk they stay in the log, too; the next commit says what is wrong.
    if (tombstones > kMostRecoveredTombstones) (void)db->Flush(rocksdb::FlushOptions(), partition.handle.get());
  }
}

Partition StoreImpl::MakePartition(rocksdb::ColumnFamilyHandle* handle) const {
  Partition partition;
  partition.store_ = this;
  partition.handle_ = handle;
  partition.id_ = handle->GetID();
  return partition;
}

arrow::Status StoreImpl::WrongPartition(Partition partition) const {
  if (!partition.valid())
    return arrow::Status::Invalid("the call names no partition: get one from Store::OpenPartition");
  return arrow::Status::Invalid("the partition '", Handle(partition)->GetName(),
                                "' is of another database than that at '", path.string(), "': open it there");
}

arrow::Status StoreImpl::CheckWriteSet(const WriteSet& writes) const {
  ARROW_RETURN_NOT_OK(writes.status());
  if (writes.store_ == nullptr || writes.store_ == this) return arrow::Status::OK();
  return arrow::Status::Invalid("the writes are to partitions of another database than that at '", path.string(),
                                "': open the partitions there");
}

arrow::Result<Partition> StoreImpl::OpenPartition(std::string_view name) {
  {
    std::shared_lock lock(partitions_mutex_);
    const auto found = partitions_by_name_.find(name);
    if (found != partitions_by_name_.end()) return found->second;
  }
  if (name.empty()) return arrow::Status::Invalid("a partition needs a name");
  std::unique_lock lock(partitions_mutex_);
  const auto found = partitions_by_name_.find(name);
  if (found != partitions_by_name_.end()) return found->second;
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  ARROW_RETURN_NOT_OK(FromRocksDb(db->CreateColumnFamily(partition_options, std::string(name), &handle),
                                  "cannot create partition '", name, "' in '", path.string(), "'"));
  const uint32_t id = handle->GetID();
  if (partitions_by_id_.size() <= id) partitions_by_id_.resize(id + 1);
  partitions_by_id_[id] = {std::string(name), std::unique_ptr<rocksdb::ColumnFamilyHandle>(handle)};
  return partitions_by_name_.emplace(name, MakePartition(handle)).first->second;
}

arrow::Status StoreImpl::LoadLosses() {
  std::ifstream file(path / kUnsettledLosses);
  for (std::string line; std::getline(file, line);) losses.push_back(line);
  return file.bad() ? arrow::Status::IOError("cannot read '", (path / kUnsettledLosses).string(), "'")
                    : arrow::Status::OK();
}

arrow::Status StoreImpl::SettleLosses() {
  std::error_code error;
  if (losses.empty() || !std::filesystem::exists(path / kUnsettledLosses, error)) return arrow::Status::OK();
  std::ofstream settled(path / kSettledLosses, std::ios::app);
  for (const std::string& loss : losses) settled << loss << '\n';
  settled.close();
  if (settled.fail()) return arrow::Status::IOError("cannot write '", (path / kSettledLosses).string(), "'");
  std::filesystem::remove(path / kUnsettledLosses, error);
  return error ? arrow::Status::IOError("cannot remove '", (path / kUnsettledLosses).string(), "': ", error.message())
               : arrow::Status::OK();
}

rocksdb::ColumnFamilyHandle* StoreImpl::FindHandle(const std::string& name) const {
  std::shared_lock lock(partitions_mutex_);
  const auto found = partitions_by_name_.find(name);
  return found == partitions_by_name_.end() ? nullptr : Handle(found->second);
}

Partition StoreImpl::PartitionById(uint32_t id) const {
  std::shared_lock lock(partitions_mutex_);
  if (id >= partitions_by_id_.size() || partitions_by_id_[id].handle == nullptr) return {};
  return MakePartition(partitions_by_id_[id].handle.get());
}

std::string StoreImpl::PartitionName(uint32_t id) const {
  std::shared_lock lock(partitions_mutex_);
  return id < partitions_by_id_.size() ? partitions_by_id_[id].name : std::string();
}

std::vector<Partition> StoreImpl::AllPartitions() const {
  std::shared_lock lock(partitions_mutex_);
  std::vector<Partition> all;
  for (const auto& [name, partition] : partitions_by_name_) all.push_back(partition);
  return all;
}

arrow::Status StoreImpl::SyncLog() {
  // An empty synced write takes its place among the other writes. SyncWAL does not: next to a write that fails it trips
  // over an assertion inside RocksDB.
  rocksdb::WriteOptions write;
  write.sync = true;
  rocksdb::WriteBatch empty;
  return WriteError(db->Write(write, &empty), "cannot sync the log of '" + path.string() + "'");
}

arrow::Status StoreImpl::WriteError(const rocksdb::Status& status, const std::string& context) const {
  if (status.ok()) return arrow::Status::OK();
  rocksdb::WriteBatch empty;
  const arrow::Status error = FromRocksDb(status, context);
  if (db->Write(rocksdb::WriteOptions(), &empty).ok()) return error;
  return error.WithMessage(error.message(), "; nothing can be committed to it now, reading goes on: ",
                           status.IsNoSpace() ? "make room" : "see to the disk",
                           ", then close the database, wherever it is in use, and have it opened again");
}

std::string StoreImpl::NewTemporaryFile() {
  const uint64_t number = next_temporary_.fetch_add(1, std::memory_order_relaxed);
  return (path / "tmp" / (std::to_string(number) + ".sst")).string();
}

}  // namespace yarrow
