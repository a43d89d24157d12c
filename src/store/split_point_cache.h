// SplitPointCache: keys that cut a range into pieces of about equal size.
#pragma once

#include <rocksdb/db.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/memtable_sample.h"

namespace yarrow {

// Where the sizes come from. Estimates use the index blocks of files and the sample of the memtables; no data block is
// read and no iterator opened, so a range full of tombstones costs no more than any other.
class SizeSource {
 public:
  SizeSource(rocksdb::DB* db, rocksdb::ColumnFamilyHandle* partition, const MemtableSample* memtables)
      : db_(db), partition_(partition), memtables_(memtables) {}

  // Estimated bytes of each gap between neighbouring `cuts` (ascending): one figure less than cuts.
  std::vector<uint64_t> EstimateBytes(std::span<const std::string_view> cuts) const;
  // The same of what is in files.
  std::vector<uint64_t> EstimateFileBytes(std::span<const std::string_view> cuts) const;

  rocksdb::DB* db() const { return db_; }
  rocksdb::ColumnFamilyHandle* partition() const { return partition_; }
  const MemtableSample& memtables() const { return *memtables_; }

 private:
  rocksdb::DB* db_;
  rocksdb::ColumnFamilyHandle* partition_;
  const MemtableSample* memtables_;
};

// Answers are kept until the files change or the memtable has grown much. Thread-safe.
class SplitPointCache {
 public:
  // See Store::SplitPoints. `files_version` changes whenever the SST files do.
  std::vector<std::string> Get(const SizeSource& source, std::string_view lower, std::string_view upper,
                               size_t max_points, uint64_t files_version);

 private:
  struct Answer {
    uint32_t partition_id = 0;
    std::string lower;
    std::string upper;
    size_t max_points = 0;
    uint64_t files_version = 0;
    uint64_t memtable_bytes = 0;
    std::vector<std::string> points;
  };
  struct Boundaries {
    uint64_t files_version = 0;
    std::vector<std::string> keys;  // first and last keys of the SST files, sorted
  };
  static constexpr size_t kMaxAnswers = 64;

  // Those of the partition strictly within (lower, upper), thinned out to about `max_count`.
  std::vector<std::string> BoundariesWithin(const SizeSource& source, std::string_view lower, std::string_view upper,
                                            size_t max_count, uint64_t files_version);

  std::mutex mutex_;
  std::list<Answer> answers_;  // latest used first
  std::map<uint32_t, Boundaries> boundaries_;
};

// Estimated bytes of [lower, upper) in files and memtables; an empty bound is open.
uint64_t EstimateBytes(const SizeSource& source, std::string_view lower, std::string_view upper);
// Estimated entries of the same. In files, compressed, an entry has fewer bytes than in a memtable.
uint64_t EstimateEntries(const SizeSource& source, std::string_view lower, std::string_view upper);

}  // namespace yarrow
