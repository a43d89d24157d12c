// The inside of a ScanCursor.
#pragma once

#include <arrow/status.h>
#include <rocksdb/db.h>
#include <rocksdb/iterator.h>

#include <memory>
#include <string>
#include <string_view>

#include "store/empty_ranges.h"
#include "store/overlay_cursor.h"
#include "store/rocksdb_status.h"
#include "store/store_impl.h"
#include "store/write_set.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

struct ScanCursor::State {
  enum class Phase : uint8_t {
    kBefore,  // the next Next() has to seek
    kInside,
    kAfter,  // at the end of the range, or failed
  };

  State(std::shared_ptr<const Store> owner, ScanSpec scan, WriteSet::View scanned_writes)
      : store(std::move(owner)),
        spec(std::move(scan)),
        writes(std::move(scanned_writes)),
        lower(spec.lower),
        upper(spec.upper) {}
  ~State() {
    NoteSkipped();
    if (own_snapshot != nullptr) store->impl()->db->ReleaseSnapshot(own_snapshot);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // The range holds one key, `lower`, and nothing else.
  bool is_point() const {
    return !has_target && upper.size() == lower.size() + 1 && upper.back() == '\0' && upper.starts_with(lower);
  }
  bool is_whole_spec() const { return lower == spec.lower && upper == spec.upper; }
  // The snapshot that all ranges of the scan are read at.
  const rocksdb::Snapshot* PinnedSnapshot() {
    if (!spec.snapshot.is_null()) return StoreImpl::RawSnapshot(spec.snapshot);
    if (own_snapshot == nullptr) own_snapshot = store->impl()->db->GetSnapshot();
    return own_snapshot;
  }

  arrow::Status ReadError(const rocksdb::Status& cause) const {
    return FromRocksDb(cause, "cannot read partition '", store->PartitionName(spec.partition), "' of '",
                       store->path().string(), "'");
  }

  // A bound that RocksDB does not check for us, because the spec had none when the iterator was opened.
  bool OutOfRange(std::string_view key) const {
    return spec.reverse ? check_lower && key < lower : check_upper && key >= upper;
  }
  bool checks_range() const { return spec.reverse ? check_lower : check_upper; }

  void Open();
  // To the first entry at or behind `key`, or with reverse to the last one before it (empty: to the last of all).
  void SeekTo(std::string key);
  // To the next entry in the direction of the scan. REQUIRES: the iterator is on one.
  void Step() {
    spec.reverse ? iterator->Prev() : iterator->Next();
    Settle();
  }
  // After a step of the iterator.
  void Settle() {
    if (!iterator->Valid()) [[unlikely]] {
      if (iterator->status().IsIncomplete()) PassFromAnchor();
    } else if (++steps == kStepsAnAnchor) [[unlikely]] {
      SetAnchor();
    }
  }

  // A run of more tombstones makes RocksDB's iterator stop, so that it can be passed with the help of EmptyRanges.
  // To come back to its place costs at most what the way from its anchor took.
  static constexpr uint64_t kMostTombstonesAStep = 256;
  // A seek that passed so many looks how far they go. It has no place to come back to.
  static constexpr uint64_t kTombstonesWorthASearch = 32;
  static constexpr uint64_t kStepsAnAnchor = 256;
  // That many runs a scan looks for the end of, before it steps over the others by itself.
  static constexpr int kMostSearches = 64;

  std::unique_ptr<rocksdb::Iterator> NewIterator(uint64_t most_tombstones_a_step);
  // Ends the iterator, and counts what it stepped over.
  void CloseIterator();
  // Ends the scan, and tells ReadTriggeredCompaction of what it stepped over.
  void NoteSkipped() noexcept;
  void SeekIterator(const std::string& key);
  void SetAnchor();
  void PassFromAnchor();
  void PassTombstones(std::string from);
  bool SkipKnown(std::string* key);
  bool SkipKnownAt(uint64_t sequence, std::string* key);
  void SkipKnownFromEnd(std::string* key);
  void SearchEmptyRange(const std::string& from);
  bool TrySearch(EmptyRanges::Search* search);

  const std::shared_ptr<const Store> store;
  ScanSpec spec;
  WriteSet::View writes;  // laid over the stored entries
  std::string lower;      // of the current range
  std::string upper;
  rocksdb::Slice lower_bound;  // RocksDB reads them through pointers, at every seek anew
  rocksdb::Slice upper_bound;
  bool has_lower_bound = false;  // RocksDB knows the bound
  bool has_upper_bound = false;
  bool check_lower = false;  // the current range has a bound that RocksDB does not know
  bool check_upper = false;
  const rocksdb::Snapshot* own_snapshot = nullptr;  // when the spec has none
  bool is_checked = false;                          // partition and snapshot of the spec
  std::unique_ptr<rocksdb::Iterator> iterator;
  // Where the iterator is: `steps` entries from where SeekTo(anchor) leads. It forgets its place when it stops.
  std::string anchor;
  uint64_t steps = 0;
  int searches = 0;
  // Of the scan: where it began (with reverse: the end of that), and what it met until the anchor.
  std::string began_at;
  uint64_t rows = 0;
  uint64_t skipped = 0;          // by the iterators that are closed
  rocksdb::PinnableSlice point;  // value of a range of one key
  Phase phase = Phase::kBefore;
  bool has_target = false;  // of Seek
  std::string target;
  OverlayCursor overlay;
  bool merging = false;  // the overlay has something to say in this range
  bool advance_base = false;
  bool advance_overlay = false;
  arrow::Status status;
};

}  // namespace yarrow
