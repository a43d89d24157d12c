// Store: one RocksDB instance behind the words of Yarrow. Keys and values are bytes here; rows and types live above.
//
// A Store and everything it hands out is safe to use from several threads unless its comment says otherwise.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "yarrow/partition.h"
#include "yarrow/snapshot.h"
#include "yarrow/write_batch.h"

namespace yarrow {

class ScanCursor;
struct ScanSpec;
class StoreCommits;

// When a commit counts as durable.
enum class Durability {
  kSync,     // synced to disk before Commit returns; concurrent commits share one sync
  kGrouped,  // returns at once, synced together within group_commit_interval; a power cut may lose that last interval
  kOs,       // left to the operating system; a power cut may lose seconds, a crash of the process nothing
};

struct StoreOptions {
  bool create_if_missing = true;  // of the call that opens; the other options belong to the open Store
  // Of the call that opens, too. Opening a database with a damaged log is an error. With it, what was committed in
  // front of the damage is opened; what lies behind is gone (Store::losses says what) but kept in the folder
  // `salvaged`, with the files of segments that nothing names any more.
  bool salvage = false;
  Durability durability = Durability::kSync;
  uint64_t block_cache_bytes = 256ull << 20;
  uint64_t write_buffer_bytes = 64ull << 20;     // of one memtable
  uint32_t group_commit_interval_ms = 10;        // kGrouped only
  uint64_t ingest_threshold_bytes = 8ull << 20;  // writes above this, or 16,384 of them, commit as one SST ingest
  // Memory for what live write transactions are judged by: 16 bytes a key that was committed since the oldest began.
  // More goes to a file in the folder `tmp`.
  uint64_t commit_table_budget_bytes = 64ull << 20;
  bool disable_auto_compaction = false;  // for tests and benchmarks that want a table left as it was written
  friend bool operator==(const StoreOptions&, const StoreOptions&) = default;
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
  static constexpr size_t kStorageBytes = 112;
  alignas(std::max_align_t) std::byte storage_[kStorageBytes];  // a rocksdb::PinnableSlice
  std::string_view view_;
};

class Store : public std::enable_shared_from_this<Store> {
 public:
  // Opens the database directory `path`, or creates it. One Store per directory in a process, whatever path leads to
  // it: a second Open returns the same object (Invalid, naming the option, if its options differ). Errors name the path
  // and the remedy: missing, locked (with the pid of the holder), no permission, not a Yarrow database, written by a
  // newer Yarrow, damaged.
  //
  // A Store and all that it hands out are of the process that opened it. In one that was forked while a Store was open,
  // Open and every call on what was inherited are an IOError (what returns no status returns nothing), and destructors
  // do nothing.
  static arrow::Result<std::shared_ptr<Store>> Open(const std::filesystem::path& path,
                                                    const StoreOptions& options = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  const std::filesystem::path& path() const;
  const StoreOptions& options() const;
  // Which commits are lost of a damaged log, for people; empty but when it was opened with `salvage` and is damaged.
  // Who keeps more in the store than a partition each has to see to what then does not fit together, and says so.
  const std::vector<std::string>& losses() const;
  arrow::Status SettleLosses();

  // The partition `name`, created when missing. Invalid for the names of Yarrow's own partitions: default, rows,
  // counters, system, and those that begin with "system.".
  arrow::Result<Partition> OpenPartition(std::string_view name);
  std::vector<std::string> ListPartitions() const;  // sorted
  std::string_view PartitionName(Partition partition) const;

  // Pins the state of all partitions as of now.
  Snapshot GetSnapshot() const;
  // Sequence of the last write that readers can see.
  uint64_t LatestSequence() const;

  // false when the key is absent at `snapshot` (a null snapshot: now; Invalid for one of another store).
  arrow::Result<bool> Get(Partition partition, std::string_view key, PinnedValue* value,
                          const Snapshot& snapshot = {}) const;

  // Reads a range, lazily; see scan_iterator.h.
  ScanCursor Scan(ScanSpec spec) const;

  // Write one key, or all of a batch or nothing, at the store's durability. After an IOError the store may refuse
  // further writes until it is closed and opened again.
  arrow::Status Put(Partition partition, std::string_view key, std::string_view value);
  arrow::Status Delete(Partition partition, std::string_view key);
  arrow::Status Write(const WriteBatch& batch);

  // At most `max_points` keys that cut [lower, upper) into pieces of about equal size, ascending; an empty bound is
  // open. From SST boundaries and estimates between them, cached until the files change. May return fewer, or none for
  // a small range. Reads no data blocks.
  std::vector<std::string> SplitPoints(Partition partition, std::string_view lower, std::string_view upper,
                                       size_t max_points) const;
  // Estimated bytes on disk and in memtables of [lower, upper); an empty bound is open.
  uint64_t ApproximateBytes(Partition partition, std::string_view lower, std::string_view upper) const;
  // Estimated entries in [lower, upper): in files by its bytes and the partition's average entry. Costs microseconds.
  uint64_t ApproximateEntries(Partition partition, std::string_view lower, std::string_view upper) const;

  arrow::Status FlushMemtables();
  arrow::Status CompactAll();
  // The same of the files with keys in [lower, upper), so that what was deleted there takes no room any more.
  // Cancelled soon after another thread has set `cancelled`.
  arrow::Status CompactRange(Partition partition, std::string_view lower, std::string_view upper,
                             std::atomic<bool>* cancelled = nullptr);
  // From now on commits wait for their turn so that about that many bytes a second pass; 0: none waits. Those that move
  // rows or change a definition never do, and none fails.
  void SetWriteRate(uint64_t bytes_per_second);
  // The log is kept below so many bytes: what has stayed in memory longest is written to SST files. 128 MB at first.
  arrow::Status SetMostLogBytes(uint64_t bytes);
  // IOError that names the file when synced records of the log cannot be read any more.
  arrow::Status CheckLog() const;
  // Makes every commit so far durable, whatever the durability of the store.
  arrow::Status SyncLog();
  // Named figures of the store ("hot.rows_estimate", "hot.sst_bytes", "cache.used_bytes", ...), sorted by name.
  std::vector<std::pair<std::string, uint64_t>> Statistics() const;

  // For the layers of Yarrow: commits with conflicts, guards and listeners (src/store/store_commits.h), and the RocksDB
  // side (src/store/store_impl.h).
  StoreCommits& commits() const { return *commits_; }
  StoreImpl* impl() const { return impl_.get(); }

 private:
  friend struct StoreImpl;
  Store();
  std::unique_ptr<StoreImpl> impl_;
  std::unique_ptr<StoreCommits> commits_;
};

// Opens /dev/null in the place of each of the descriptors 0 to 2 that is closed, so that no file gets one of them and
// what the program prints there goes into that file. Opening a Store does so; a program that opens files before does it
// first. Writing to a closed output is an error as before.
void ReserveStandardDescriptors();

// IOError, saying what to do, in a process that was forked while a Store was open: it can use no Store.
arrow::Status CheckProcess();

// True for the errors after which running the transaction again may succeed: a write conflict, a changed definition, no
// memory to note what others commit.
bool IsConflict(const arrow::Status& status);

}  // namespace yarrow
