#include "store/scan_state.h"

#include <rocksdb/snapshot.h>

#include <limits>
#include <utility>

#include "store/empty_ranges.h"
#include "store/rocksdb_slice.h"
#include "store/tombstone_count.h"

namespace yarrow {

void ScanCursor::State::Open() {
  lower_bound = ToSlice(lower);
  upper_bound = ToSlice(upper);
  has_upper_bound = !upper.empty();
  has_lower_bound = spec.reverse && !lower.empty();  // going forward, the seek sees to it
  iterator = NewIterator(kMostTombstonesAStep);
}

std::unique_ptr<rocksdb::Iterator> ScanCursor::State::NewIterator(uint64_t most_tombstones_a_step) {
  rocksdb::ReadOptions read;
  // RocksDB's iterator would pin a state of its own. But one opened while files are being ingested may miss them and
  // yet see what was written later; a snapshot cannot.
  read.snapshot = PinnedSnapshot();
  read.fill_cache = spec.fill_cache;
  read.total_order_seek = true;
  read.max_skippable_internal_keys = most_tombstones_a_step;
  if (has_upper_bound) read.iterate_upper_bound = &upper_bound;
  if (has_lower_bound) read.iterate_lower_bound = &lower_bound;
  return std::unique_ptr<rocksdb::Iterator>(store->impl()->db->NewIterator(read, StoreImpl::Handle(spec.partition)));
}

void ScanCursor::State::SeekTo(std::string key) {
  while (SkipKnown(&key)) {
  }
  const TombstoneCount tombstones;
  SeekIterator(key);
  if (!iterator->Valid() && iterator->status().IsIncomplete()) return PassTombstones(std::move(key));
  if (tombstones.value() >= kTombstonesWorthASearch) SearchEmptyRange(key);  // for who comes next
  anchor = std::move(key);
  steps = 0;
}

void ScanCursor::State::SeekIterator(const std::string& key) {
  if (!spec.reverse) return key.empty() ? iterator->SeekToFirst() : iterator->Seek(key);
  if (key.empty()) return iterator->SeekToLast();
  iterator->SeekForPrev(key);
  if (iterator->Valid() && iterator->key() == key) iterator->Prev();
}

void ScanCursor::State::SetAnchor() {
  anchor.assign(iterator->key().data(), iterator->key().size());
  if (spec.reverse) anchor.push_back('\0');
  steps = 0;
}

bool ScanCursor::State::SkipKnown(std::string* key) {
  return SkipKnownAt(PinnedSnapshot()->GetSequenceNumber(), key);
}

bool ScanCursor::State::SkipKnownAt(uint64_t sequence, std::string* key) {
  EmptyRanges& known = store->impl()->empty_ranges;
  if (!known.any() || key->empty()) return false;
  return spec.reverse ? known.SkipBackward(spec.partition.id(), sequence, key)
                      : known.SkipForward(spec.partition.id(), sequence, key);
}

// The same way once more, at the same snapshot: no run on it was too long.
void ScanCursor::State::PassFromAnchor() {
  const auto repeat = [this] {
    SeekIterator(anchor);
    for (uint64_t i = 0; i < steps && iterator->Valid(); ++i) spec.reverse ? iterator->Prev() : iterator->Next();
  };
  repeat();
  if (!iterator->Valid() && iterator->status().IsIncomplete()) {  // not by what RocksDB does today
    iterator = NewIterator(/*most_tombstones_a_step=*/0);
    repeat();
  }
  if (!iterator->Valid()) return;
  std::string from(iterator->key().data(), iterator->key().size());
  if (!spec.reverse) from.push_back('\0');
  PassTombstones(std::move(from));
}

// To the next entry from there on, where the iterator gave up.
void ScanCursor::State::PassTombstones(std::string from) {
  for (;;) {
    bool is_known = SkipKnown(&from);
    if (!is_known) {
      SearchEmptyRange(from);
      is_known = SkipKnown(&from);
    }
    // An older snapshot may see what is gone by now, and has to look for itself.
    if (!is_known) iterator = NewIterator(/*most_tombstones_a_step=*/0);
    while (SkipKnown(&from)) {
    }
    SeekIterator(from);
    if (iterator->Valid() || !iterator->status().IsIncomplete()) break;
  }
  anchor = std::move(from);
  steps = 0;
}

// Steps over the tombstones at the present state, so that scans from now on know where they end.
void ScanCursor::State::SearchEmptyRange(const std::string& from) {
  std::string known_end = from;
  const bool is_known = SkipKnownAt(std::numeric_limits<uint64_t>::max(), &known_end);  // by now: not in our snapshot
  if (is_known || searches == kMostSearches) return;
  ++searches;
  StoreImpl& impl = *store->impl();
  const std::string& begin = spec.reverse ? lower : from;
  const std::string& end = spec.reverse ? from : upper;
  EmptyRanges::Search search(&impl.empty_ranges, spec.partition.id(), begin, end, spec.reverse);
  rocksdb::ManagedSnapshot now(impl.db.get());
  const rocksdb::Slice first = ToSlice(begin), behind = ToSlice(end);
  rocksdb::ReadOptions read;
  read.snapshot = now.snapshot();
  read.fill_cache = spec.fill_cache;
  read.total_order_seek = true;
  if (!begin.empty()) read.iterate_lower_bound = &first;
  if (!end.empty()) read.iterate_upper_bound = &behind;
  const std::unique_ptr<rocksdb::Iterator> found(impl.db->NewIterator(read, StoreImpl::Handle(spec.partition)));
  const TombstoneCount tombstones;
  spec.reverse ? found->SeekToLast() : found->SeekToFirst();
  if (!found->status().ok()) return;  // which the scan meets itself
  const uint64_t sequence = now.snapshot()->GetSequenceNumber();
  if (!found->Valid()) return search.Add(begin, end, sequence, tombstones.value());
  const std::string key = found->key().ToString();
  if (spec.reverse) return search.Add(key + '\0', end, sequence, tombstones.value());
  search.Add(begin, key, sequence, tombstones.value());
}

}  // namespace yarrow
