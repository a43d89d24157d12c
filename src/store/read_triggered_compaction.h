// ReadTriggeredCompaction: writes out and compacts ranges in which scans step over many entries.
//
// A deleted key and each replaced version of a key stay in the memtable until it is flushed, and in files until they
// are compacted. RocksDB does both when enough is written. Where little is written and much is read, scans would step
// over the same entries for good. (LevelDB compacts a file that was sought in vain often enough; Pebble calls it a
// read-triggered compaction.)
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace yarrow {

// Adds up what scans stepped over, and compacts a range in a thread of its own when stepping has cost as much as
// compacting will. So compactions, even those in vain, never cost more than the scans did. Thread-safe.
class ReadTriggeredCompaction {
 public:
  // Of a scan: fewer do not count.
  static constexpr uint64_t kLeastOfScan = 32;
  // Of a range, before anything is done: some 20 milliseconds of scans.
  static constexpr uint64_t kLeastSkipped = 1 << 18;
  // Of compaction cost as much as to step over one entry: about 80 nanoseconds.
  static constexpr uint64_t kBytesASkip = 8;
  static constexpr size_t kMostRanges = 64;

  // Range [lower, upper) as a scan has read it; an empty upper is open.
  struct Scanned {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    std::string lower;
    std::string upper;
    uint64_t rows = 0;
    uint64_t skipped = 0;
  };

  ~ReadTriggeredCompaction() { Stop(); }

  // Before, and after Stop, scans are not counted.
  void Start(rocksdb::DB* db);
  // Cancels what is being compacted. REQUIRES: the database is open.
  void Stop();

  static bool IsWorthNoting(uint64_t rows, uint64_t skipped) { return skipped >= kLeastOfScan && skipped >= rows / 2; }
  // When no memory is left for it, the scan is not counted.
  void Note(Scanned scan) noexcept;

  uint64_t compactions() const { return compactions_.load(std::memory_order_relaxed); }

 private:
  // Scans that overlap count together. `skipped` is since the last compaction.
  struct Range : Scanned {
    uint64_t due = kLeastSkipped;
    uint64_t patience = 1;  // doubled by each compaction in vain
  };

  void Add(Range range);  // under mutex_
  bool TakeDue(Range* due);
  void Work();
  void Compact(Range range);
  uint64_t BytesOf(const Range& range) const;

  rocksdb::DB* db_ = nullptr;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Range> ranges_;  // those of a partition are disjoint
  bool stopping_ = false;
  std::atomic<bool> canceled_{false};
  std::atomic<uint64_t> compactions_{0};
  std::thread thread_;  // begins when it first has something to do
};

}  // namespace yarrow
