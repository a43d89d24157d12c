// Store: one RocksDB instance behind the words of Yarrow. Keys and values are bytes here; rows and types live above.
//
// A Store and everything it hands out is safe to use from several threads unless its comment says otherwise.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/snapshot.h"
#include "yarrow/write_set.h"

namespace yarrow {

class CommitListener;
class CommitGuard;
class ScanCursor;
struct ScanSpec;
struct StoreImpl;

// When a commit counts as durable.
enum class Durability {
  kSync,     // synced to disk before Commit returns; concurrent commits share one sync
  kGrouped,  // returns at once, synced together within group_commit_interval; a power cut may lose that last interval
  kOs,       // left to the operating system; a power cut may lose seconds, a crash of the process nothing
};

struct StoreOptions {
  bool create_if_missing = true;
  Durability durability = Durability::kSync;
  uint64_t block_cache_bytes = 256ull << 20;
  uint64_t write_buffer_bytes = 64ull << 20;      // of one memtable
  uint32_t group_commit_interval_ms = 10;         // kGrouped only
  uint64_t ingest_threshold_bytes = 64ull << 20;  // a WriteSet above this commits as one SST ingest
  uint64_t commit_table_budget_bytes = 64ull << 20;
  bool disable_auto_compaction = false;  // for tests and benchmarks that want a table left as it was written
  friend bool operator==(const StoreOptions&, const StoreOptions&) = default;
};

// Names one partition (a RocksDB column family). Small, copyable; valid as long as its Store.
class Partition {
 public:
  Partition() = default;
  uint32_t id() const { return id_; }
  bool valid() const { return handle_ != nullptr; }

 private:
  friend struct StoreImpl;
  void* handle_ = nullptr;  // rocksdb::ColumnFamilyHandle
  uint32_t id_ = 0;
};

// Bytes that Get returned. Pins the block (or owns a copy) until destroyed; it must not outlive its Store.
class PinnedValue {
 public:
  PinnedValue();
  PinnedValue(PinnedValue&&) noexcept;
  PinnedValue& operator=(PinnedValue&&) noexcept;
  ~PinnedValue();
  std::string_view view() const { return view_; }

 private:
  friend class Store;
  alignas(16) std::byte storage_[160];  // a rocksdb::PinnableSlice
  std::string_view view_;
};

// What a commit asks for besides its writes.
struct CommitOptions {
  // The state the writes were planned on: the commit fails with IsConflict() when one of its keys was changed after it
  // (first committer wins). Unset: a blind write, which always succeeds.
  const WriteTransactionToken* transaction = nullptr;
  // The definition the writes were planned with: fails with IsConflict() when it is no longer `guard_version`.
  CommitGuard* guard = nullptr;
  uint64_t guard_version = 0;
};

struct CommitResult {
  uint64_t first_sequence = 0;  // RocksDB sequence numbers this commit took lie in [first, last];
  uint64_t last_sequence = 0;   // exact for a batch, bounds for an ingest
};

class Store : public std::enable_shared_from_this<Store> {
 public:
  // Opens the database directory `path`, or creates it. One Store per canonical path in a process: a second Open returns
  // the same object (Invalid if its options differ). Errors name the path and the remedy: missing, locked (with the pid of
  // the holder), not a Yarrow database, written by a newer Yarrow, damaged.
  static arrow::Result<std::shared_ptr<Store>> Open(const std::filesystem::path& path, const StoreOptions& options = {});
  ~Store();

  const std::filesystem::path& path() const;
  const StoreOptions& options() const;

  // The partition `name`, created when missing.
  arrow::Result<Partition> OpenPartition(std::string_view name);
  std::vector<std::string> ListPartitions() const;

  // Pins the state of all partitions as of now.
  Snapshot GetSnapshot() const;

  // false when the key is absent at `snapshot` (a null snapshot: now).
  arrow::Result<bool> Get(Partition partition, std::string_view key, PinnedValue* value, const Snapshot& snapshot = {}) const;

  // Writes all of `writes` or nothing, at the store's durability. The only way any byte gets into the store.
  arrow::Result<CommitResult> Commit(const WriteSet& writes, const CommitOptions& options = {});
  // The same for one key, without building a WriteSet.
  arrow::Result<CommitResult> CommitPut(Partition partition, std::string_view key, std::string_view value,
                                        const CommitOptions& options = {});
  arrow::Result<CommitResult> CommitDelete(Partition partition, std::string_view key, const CommitOptions& options = {});

  // Files that SstFileWriter-s of SstLoad wrote; one atomic ingest. See sst_load.h.
  // (declared there as a friend; kept out of this header)

  void AddListener(CommitListener* listener);     // called under the commit mutex; must outlive its removal
  void RemoveListener(CommitListener* listener);

  // At most `max_points` keys that cut [lower, upper) into pieces of about equal size, ascending; from SST boundaries and
  // interpolation between them, cached until the files change. May be empty. Never reads data blocks.
  std::vector<std::string> SplitPoints(Partition partition, std::string_view lower, std::string_view upper, size_t max_points);
  // Estimated bytes on disk and in memtables of [lower, upper).
  uint64_t ApproximateBytes(Partition partition, std::string_view lower, std::string_view upper) const;

  arrow::Status FlushMemtables();
  arrow::Status CompactAll();
  // Named figures of the store ("hot.rows_estimate", "hot.sst_bytes", "cache.used_bytes", ...), sorted by name.
  std::vector<std::pair<std::string, uint64_t>> Statistics() const;

  StoreImpl* impl() const { return impl_.get(); }

 private:
  Store();
  std::unique_ptr<StoreImpl> impl_;
};

// True for the errors after which running the transaction again may succeed: a write conflict, a changed definition, a
// transaction older than the commit table reaches back.
bool IsConflict(const arrow::Status& status);

}  // namespace yarrow
