#include "store/read_triggered_compaction.h"

#include <rocksdb/metadata.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "store/guarded.h"
#include "store/rocksdb_slice.h"

namespace yarrow {

void ReadTriggeredCompaction::Start(rocksdb::DB* db) {
  std::lock_guard lock(mutex_);
  db_ = db;
}

void ReadTriggeredCompaction::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  canceled_.store(true, std::memory_order_relaxed);
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void ReadTriggeredCompaction::Note(Scanned scan) noexcept {
  if (!scan.upper.empty() && scan.lower >= scan.upper) return;
  try {
    std::lock_guard lock(mutex_);
    if (db_ == nullptr || stopping_) return;
    Add({std::move(scan)});
    if (std::ranges::none_of(ranges_, [](const Range& range) { return range.skipped >= range.due; })) return;
    if (!thread_.joinable()) thread_ = std::thread([this] { Work(); });
    wake_.notify_one();
  } catch (const std::exception&) {
    // No memory, or no thread: a later scan is as good.
  }
}

void ReadTriggeredCompaction::Add(Range all) {
  const auto overlaps = [&](const Range& range) {
    return range.handle == all.handle && (range.upper.empty() || all.lower < range.upper) &&
           (all.upper.empty() || range.lower < all.upper);
  };
  std::erase_if(ranges_, [&](Range& range) {
    if (!overlaps(range)) return false;
    all.skipped += range.skipped;
    all.lower = std::min(all.lower, range.lower);
    all.upper = all.upper.empty() || range.upper.empty() ? std::string() : std::max(all.upper, range.upper);
    all.due = std::max(all.due, range.due);
    all.patience = std::max(all.patience, range.patience);
    return true;
  });
  if (ranges_.size() == kMostRanges) ranges_.erase(std::ranges::min_element(ranges_, {}, &Range::skipped));
  ranges_.push_back(std::move(all));
}

bool ReadTriggeredCompaction::TakeDue(Range* due) {
  const auto found = std::ranges::find_if(ranges_, [](const Range& range) { return range.skipped >= range.due; });
  if (found == ranges_.end()) return false;
  *due = std::move(*found);
  ranges_.erase(found);
  return true;
}

void ReadTriggeredCompaction::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    Range range;
    while (!stopping_ && !TakeDue(&range)) wake_.wait(lock);
    if (stopping_) return;
    lock.unlock();
    ARROW_UNUSED(RunGuarded([&] { Compact(std::move(range)); }));  // as in Note
    lock.lock();
  }
}

void ReadTriggeredCompaction::Compact(Range range) {
  const uint64_t before = BytesOf(range);
  if (range.skipped >= range.patience * std::max(kLeastSkipped, before / kBytesASkip)) {
    const rocksdb::Slice begin = ToSlice(range.lower), end = ToSlice(range.upper);
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.canceled = &canceled_;
    // A file may come to the last level as it is, with its tombstones.
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    // Of a full disk the next commit tells.
    const rocksdb::Status compacted = db_->CompactRange(options, range.handle, range.lower.empty() ? nullptr : &begin,
                                                        range.upper.empty() ? nullptr : &end);
    if (compacted.ok()) compactions_.fetch_add(1, std::memory_order_relaxed);
    // A snapshot may still see what was deleted.
    const bool in_vain = !compacted.ok() || BytesOf(range) > before / 10 * 9;
    if (!in_vain) return;
    range.patience = std::min<uint64_t>(range.patience * 2, 1 << 20);
    range.skipped = 0;
  }
  range.due = range.patience * std::max(kLeastSkipped, before / kBytesASkip);
  std::lock_guard lock(mutex_);
  Add(std::move(range));
}

uint64_t ReadTriggeredCompaction::BytesOf(const Range& range) const {
  uint64_t bytes = 0, entries = 0;
  db_->GetIntProperty(range.handle, rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
  if (entries > 0) db_->GetIntProperty(range.handle, rocksdb::DB::Properties::kCurSizeAllMemTables, &bytes);
  rocksdb::ColumnFamilyMetaData partition;
  db_->GetColumnFamilyMetaData(range.handle, &partition);
  for (const rocksdb::LevelMetaData& level : partition.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      const bool overlaps = (range.upper.empty() || file.smallestkey < range.upper) && file.largestkey >= range.lower;
      if (overlaps) bytes += file.size;
    }
  }
  return bytes;
}

}  // namespace yarrow
