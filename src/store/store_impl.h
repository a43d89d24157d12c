// The inside of a Store, for this layer and for layers that need RocksDB itself.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "store/commit_queue.h"
#include "store/directory_lock.h"
#include "store/empty_ranges.h"
#include "store/file_listener.h"
#include "store/file_merger.h"
#include "store/home_process.h"
#include "store/log_env.h"
#include "store/log_ledger.h"
#include "store/log_syncer.h"
#include "store/memtable_sample.h"
#include "store/read_triggered_compaction.h"
#include "store/split_point_cache.h"
#include "store/store_commits.h"
#include "store/write_pressure.h"
#include "yarrow/store.h"

namespace yarrow {

class SstFiles;

// A RocksDB snapshot and the store it belongs to.
struct Snapshot::Pin {
  Pin(std::shared_ptr<const Store> owner, rocksdb::DB* database)
      : store(std::move(owner)), db(database), snapshot(db->GetSnapshot()) {}
  ~Pin() {
    if (HomeProcess::IsHome()) db->ReleaseSnapshot(snapshot);
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  std::shared_ptr<const Store> store;
  rocksdb::DB* db;
  const rocksdb::Snapshot* snapshot;
};

struct StoreImpl {
  StoreImpl(std::filesystem::path canonical_path, const StoreOptions& store_options);
  ~StoreImpl();

  // `env` replaces the file system in tests; null: the default.
  arrow::Status Open(bool create_if_missing, rocksdb::Env* env);
  static arrow::Result<std::shared_ptr<Store>> OpenStore(const std::filesystem::path& path,
                                                         const StoreOptions& store_options, rocksdb::Env* env,
                                                         bool registered);

  static rocksdb::ColumnFamilyHandle* Handle(Partition partition) {
    return static_cast<rocksdb::ColumnFamilyHandle*>(partition.handle_);
  }
  static const rocksdb::Snapshot* RawSnapshot(const Snapshot& snapshot) {
    return snapshot.is_null() ? nullptr : snapshot.pin_->snapshot;
  }
  // Invalid for a snapshot of another store: its sequence number would mean some other moment here.
  arrow::Status CheckSnapshot(const Snapshot& snapshot) const {
    if (snapshot.is_null() || snapshot.pin_->db == db.get()) return arrow::Status::OK();
    return arrow::Status::Invalid("the snapshot is of the database '", snapshot.pin_->store->path().string(),
                                  "', not of '", path.string(), "': take one from the database that is read");
  }

  // Invalid for a partition of another store: its number is some other partition here.
  arrow::Status CheckPartition(Partition partition) const {
    return partition.store_ == this ? arrow::Status::OK() : WrongPartition(partition);
  }
  arrow::Status CheckWriteSet(const WriteSet& writes) const;

  // Also those of Yarrow's own, see IsReservedPartition.
  arrow::Result<Partition> OpenPartition(std::string_view name);
  rocksdb::ColumnFamilyHandle* FindHandle(const std::string& name) const;  // null when there is none
  Partition PartitionById(uint32_t id) const;                              // invalid when there is none
  std::string PartitionName(uint32_t id) const;
  std::vector<Partition> AllPartitions() const;

  // The commit path (commit_path.cc).
  arrow::Result<CommitResult> CommitOne(Partition partition, WriteOp::Kind kind, std::string_view key,
                                        std::string_view value, const CommitOptions& commit);
  arrow::Result<CommitResult> CommitSet(const WriteSet& writes, const CommitOptions& commit);
  arrow::Result<CommitResult> CommitClosed(std::span<const WriteRange> closed, const StoreCommits::BuildWrites& build,
                                           const CommitOptions& commit);
  // Before a commit of so many bytes begins.
  void AwaitTurn(const CommitOptions& commit, uint64_t bytes);
  // By the queue, and by CommitOptions::when_admitted.
  arrow::Result<Admission> Admit(CommitRequest* request, const CommitOptions& commit);
  // Admit, write, Resolve.
  arrow::Result<CommitResult> WriteBatch(CommitRequest* request, rocksdb::WriteBatch* batch,
                                         const CommitOptions& commit);
  // The last two of these, for a batch of these operations behind these deleted ranges.
  arrow::Result<CommitResult> WriteAdmitted(Admission* admission, const CommitRequest& request,
                                            std::span<const WriteOp> ops, std::span<const WriteRange> deleted,
                                            rocksdb::WriteBatch* batch, bool sync);
  arrow::Status CheckConflicts(const WriteSet& writes, const WriteTransactionToken& token);

  // The same for large sets (ingest_path.cc). In one ingest: those in memory, and those with runs in files. In a batch:
  // those that are large by their external runs only.
  arrow::Result<CommitResult> CommitExternal(const WriteSet& writes, const CommitOptions& commit);
  arrow::Result<CommitResult> CommitAsIngest(const WriteSet& writes, const CommitOptions& commit);
  arrow::Result<CommitResult> CommitRuns(const WriteSet& writes, const CommitOptions& commit);
  arrow::Result<CommitResult> Ingest(const WriteSet& writes, std::span<const SstFiles* const> files,
                                     const CommitOptions& commit);

  arrow::Status SyncLog();
  arrow::Status SettleLosses();
  // As FromRocksDb; tells the remedy, too, when RocksDB refuses all writes after an error of the disk.
  arrow::Status WriteError(const rocksdb::Status& status, const std::string& context) const;
  std::string NewTemporaryFile();

  const std::filesystem::path path;
  const StoreOptions options;
  std::unique_ptr<HomeProcess::OpenStore> open_store = std::make_unique<HomeProcess::OpenStore>();
  DirectoryLock directory_lock;  // given up when all else is closed
  std::shared_ptr<rocksdb::Cache> block_cache;
  rocksdb::ColumnFamilyOptions partition_options;
  MemtableSample memtable_sample;
  std::shared_ptr<FileListener> file_listener = std::make_shared<FileListener>(&memtable_sample);
  std::unique_ptr<LogLedger> log_ledger;
  std::unique_ptr<LogEnv> log_env;
  std::shared_ptr<FileMerger> file_merger = std::make_shared<FileMerger>();
  // What is lost of a damaged log that was opened nevertheless, for people; see StoreOptions::salvage.
  std::vector<std::string> losses;
  std::unique_ptr<rocksdb::DB> db;
  EmptyRanges empty_ranges;
  ReadTriggeredCompaction read_triggered_compaction;
  CommitQueue commits;
  WritePressure pressure;
  SplitPointCache split_points;
  bool registered = false;  // in the StoreRegistry

 private:
  arrow::Status OpenDb(const std::filesystem::path& hot, bool create, rocksdb::Env* env);
  // Makes the log ready to be read; what of `db_options` depends on it.
  arrow::Status PrepareLog(const std::filesystem::path& hot, rocksdb::Env* env, rocksdb::Options* db_options);
  void WriteOutTombstones();
  arrow::Status LoadLosses();
  arrow::Status RecoverLog(const std::filesystem::path& hot, rocksdb::Env* env, rocksdb::Options* db_options);
  arrow::Status BuildBatch(std::span<const WriteOp> ops, std::span<const WriteRange> ranges,
                           rocksdb::WriteBatch* batch) const;
  arrow::Status MakeWayForIngest(std::span<const SstFiles* const> files);
  bool MayBeInMemory(const SstFiles& files) const;
  static void AddExternal(const WriteSet& writes, KeySummary* summary);
  arrow::Result<Admission> AdmitLarge(CommitRequest* request, const WriteSet& writes, const CommitOptions& commit);
  arrow::Status NameLostKey(const arrow::Status& status, const WriteSet& writes, uint64_t hash) const;
  static void HashOps(std::span<const WriteOp> ops, std::vector<uint64_t>* hashes);

  struct NamedPartition {
    std::string name;
    std::unique_ptr<rocksdb::ColumnFamilyHandle> handle;
  };
  Partition MakePartition(rocksdb::ColumnFamilyHandle* handle) const;
  arrow::Status WrongPartition(Partition partition) const;

  mutable std::shared_mutex partitions_mutex_;
  std::map<std::string, Partition, std::less<>> partitions_by_name_;
  std::vector<NamedPartition> partitions_by_id_;  // holes where RocksDB has used an id for something else
  std::unique_ptr<LogSyncer> log_syncer_;         // kGrouped only
  std::atomic<uint64_t> next_temporary_{0};
};

// Store::Open on another file system; for tests of failing disks. Does not go through the registry.
arrow::Result<std::shared_ptr<Store>> OpenStoreOn(rocksdb::Env* env, const std::filesystem::path& path,
                                                  const StoreOptions& options);

}  // namespace yarrow
