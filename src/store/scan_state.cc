#include "store/scan_state.h"

#include <rocksdb/snapshot.h>

#include <limits>
#include <new>
#include <utility>

#include "store/empty_ranges.h"
#include "store/read_triggered_compaction.h"
#include "store/rocksdb_slice.h"
#include "store/skipped_entries.h"
#include "store/tombstone_count.h"

namespace yarrow {

void ScanCursor::State::Open() {
  lower_bound = ToSlice(lower);
  upper_bound = ToSlice(upper);
  // Of the spec: a later range may have none.
  has_upper_bound = !spec.upper.empty();
  has_lower_bound = spec.reverse && !spec.lower.empty();  // going forward, the seek sees to it
  CloseIterator();
  began_at = spec.reverse ? upper : lower;
  iterator = NewIterator(kMostTombstonesAStep);
}

void ScanCursor::State::CloseIterator() {
  const uint64_t before = SkippedEntries::OfThread();
  iterator.reset();
  skipped += SkippedEntries::OfThread() - before;
}

void ScanCursor::State::NoteSkipped() noexcept {
  if (iterator == nullptr) return;
  try {
    std::string reached = spec.reverse ? lower : upper;
    if (iterator->Valid()) reached.assign(iterator->key().data(), iterator->key().size());
    CloseIterator();
    if (!ReadTriggeredCompaction::IsWorthNoting(rows + steps, skipped)) return;
    store->impl()->read_triggered_compaction.Note({.handle = StoreImpl::Handle(spec.partition),
                                                   .lower = spec.reverse ? std::move(reached) : std::move(began_at),
                                                   .upper = spec.reverse ? std::move(began_at) : std::move(reached),
                                                   .rows = rows + steps,
                                                   .skipped = skipped});
  } catch (const std::bad_alloc&) {
    iterator.reset();  // not counted: a later scan is as good
  }
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
  if (key.empty()) SkipKnownFromEnd(&key);
  while (SkipKnown(&key)) {
  }
  const TombstoneCount tombstones;
  SeekIterator(key);
  if (!iterator->Valid() && iterator->status().IsIncomplete()) return PassTombstones(std::move(key));
  if (tombstones.value() >= kTombstonesWorthASearch) SearchEmptyRange(key);  // for who comes next
  anchor = std::move(key);
  rows += std::exchange(steps, 0);
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
  rows += std::exchange(steps, 0);
}

namespace {

// Where a known range ends that has no bound and no key behind. Keys behind it there may be, but hardly are.
const std::string kBehindMostKeys(32, '\xff');

}  // namespace

// Of a scan that has no bound where it begins. What a bound of its own would leave out is looked for.
void ScanCursor::State::SkipKnownFromEnd(std::string* key) {
  std::string end = spec.reverse ? kBehindMostKeys : std::string(1, '\0');
  if (!SkipKnown(&end)) return;
  if (spec.reverse) {
    iterator->Seek(kBehindMostKeys);
    if (!iterator->Valid() && iterator->status().ok()) *key = std::move(end);
    return;
  }
  rocksdb::ReadOptions read;
  read.snapshot = PinnedSnapshot();
  rocksdb::PinnableSlice value;
  const bool is_absent = store->impl()->db->Get(read, StoreImpl::Handle(spec.partition), "", &value).IsNotFound();
  if (is_absent) *key = std::move(end);
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
    CloseIterator();
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
    if (!is_known) {
      CloseIterator();
      iterator = NewIterator(/*most_tombstones_a_step=*/0);
    }
    while (SkipKnown(&from)) {
    }
    SeekIterator(from);
    if (iterator->Valid() || !iterator->status().IsIncomplete()) break;
  }
  anchor = std::move(from);
  rows += std::exchange(steps, 0);
}

// Steps over the tombstones at the present state, so that scans from now on know where they end.
void ScanCursor::State::SearchEmptyRange(const std::string& from) {
  std::string begin = from;
  const bool is_known = SkipKnownAt(std::numeric_limits<uint64_t>::max(), &begin);  // by now: not in our snapshot
  if (is_known || searches == kMostSearches) return;
  StoreImpl& impl = *store->impl();
  EmptyRanges::Search search(&impl.empty_ranges, spec.partition.id(), spec.reverse ? lower : from,
                             spec.reverse ? from : upper, spec.reverse);
  // One that finds nothing is the last: others are being written there.
  searches = TrySearch(&search) ? searches + 1 : kMostSearches;
}

bool ScanCursor::State::TrySearch(EmptyRanges::Search* search) {
  std::string begin, end;
  if (!search->Rest(&begin, &end)) return false;
  rocksdb::ManagedSnapshot now(store->impl()->db.get());
  const rocksdb::Slice first = ToSlice(begin), behind = ToSlice(end);
  rocksdb::ReadOptions read;
  read.snapshot = now.snapshot();
  read.fill_cache = spec.fill_cache;
  read.total_order_seek = true;
  if (!begin.empty()) read.iterate_lower_bound = &first;
  if (!end.empty()) read.iterate_upper_bound = &behind;
  std::unique_ptr<rocksdb::Iterator> found(store->impl()->db->NewIterator(read, StoreImpl::Handle(spec.partition)));
  const TombstoneCount tombstones;
  spec.reverse ? found->SeekToLast() : found->SeekToFirst();
  if (!found->status().ok()) return false;  // which the scan meets itself
  if (found->Valid()) (spec.reverse ? begin : end) = found->key().ToString();
  if (found->Valid() && spec.reverse) begin.push_back('\0');
  if (end.empty()) end = kBehindMostKeys;
  const uint64_t before = SkippedEntries::OfThread();
  found.reset();
  skipped += SkippedEntries::OfThread() - before;
  return search->Add(begin, end, now.snapshot()->GetSequenceNumber(), tombstones.value());
}

}  // namespace yarrow
