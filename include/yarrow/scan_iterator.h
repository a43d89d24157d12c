// Scans: ScanCursor over bytes, ScanIterator over typed entries. Both are lazy: nothing is read before the first entry
// is asked for, and never an entry more than was asked for.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <iterator>
#include <memory>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "yarrow/codec.h"
#include "yarrow/partition.h"
#include "yarrow/snapshot.h"

namespace yarrow {

class Store;

// What a scan reads: the keys of one partition in [lower, upper).
struct ScanSpec {
  Partition partition = {};
  std::string lower = {};  // empty: from the first key
  std::string upper = {};  // empty: to the last key
  bool reverse = false;
  Snapshot snapshot = {};  // null: the state when the first entry is asked for
  bool fill_cache = true;  // false keeps a one-off scan of much data from emptying the block cache
};

// Walks a range of entries; made by Store::Scan. Holds its snapshot and its store. Not thread-safe, may move between
// threads. An error ends the walk: after Next() returned false, look at status().
class ScanCursor {
 public:
  ScanCursor(ScanCursor&&) noexcept;
  ScanCursor& operator=(ScanCursor&&) noexcept;
  ~ScanCursor();

  // Moves to the next entry (first call: the first one). False at the end, or after an error.
  bool Next();

  // The entry Next() moved to. Views into a pinned block or the overlay, valid until the next call of Next, Seek or
  // ResetRange.
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }

  // Without a snapshot in the spec: fixes the state that is read as that of now, instead of that of the first Next.
  void Pin();

  // Skips: the next Next() moves to the first entry at or after `key` in the direction of the scan, within its range.
  // Backwards jumps are allowed.
  void Seek(std::string_view key);

  // Continues with another range on the same state: the next Next() moves to its first entry. Much cheaper than a new
  // scan, so sets of ranges and keys are read through one cursor. REQUIRES: [lower, upper) lies in the range of the
  // ScanSpec; an empty bound stands for the spec's.
  void ResetRange(std::string_view lower, std::string_view upper);

  const arrow::Status& status() const;
  uint64_t rows_visited() const { return rows_visited_; }    // entries Next() moved to
  uint64_t bytes_visited() const { return bytes_visited_; }  // of their keys and values
  // Sequence of the state that is read. Without a snapshot in the spec: 0 before the first Next(), and for a range of
  // one key.
  uint64_t snapshot_sequence() const;
  std::string_view partition_name() const;

 private:
  friend class Store;
  friend class StoreCommits;
  struct State;
  struct DeleteState {
    void operator()(State* state) const;
  };
  using StatePtr = std::unique_ptr<State, DeleteState>;
  enum class Step : uint8_t { kForward, kReverse, kOther };

  explicit ScanCursor(StatePtr state);
  bool NextSlow();
  bool NextMerged();
  bool CheckSpec();
  bool NextPoint();
  void Position();
  bool TakeBase();
  bool Take(std::string_view key, std::string_view value);
  bool Finish();
  bool LeaveForeign();

  // The plain scan steps the RocksDB iterator and nothing else; the rest goes through NextSlow.
  Step step_ = Step::kOther;
  std::string_view key_;
  std::string_view value_;
  uint64_t rows_visited_ = 0;
  uint64_t bytes_visited_ = 0;
  StatePtr state_;
};

// The error for an entry whose bytes are no K or V.
arrow::Status UndecodableEntry(std::string_view partition_name, std::string_view key, std::string_view part,
                               const arrow::Status& cause);

// One entry of a scan, decoded only when asked. Valid until its iterator moves on.
template <class K, class V, class KC, class VC>
class Entry {
 public:
  std::string_view key_bytes() const { return key_; }
  std::string_view value_bytes() const { return value_; }

  // An error naming partition and key when the bytes are no K or V, or when this entry stands for the failure of the
  // scan (see ScanIterator).
  arrow::Result<K> key() const { return Decode<KC, K>(key_, "key"); }
  arrow::Result<V> value() const { return Decode<VC, V>(value_, "value"); }

  // Not OK when this entry stands for the failure of the scan.
  const arrow::Status& status() const { return cursor_->status(); }

 private:
  template <class, class, class, class>
  friend class ScanIterator;
  explicit Entry(const ScanCursor* cursor) : cursor_(cursor), key_(cursor->key()), value_(cursor->value()) {}

  template <class C, class T>
  arrow::Result<T> Decode(std::string_view bytes, const char* part) const {
    if (!status().ok()) return status();
    arrow::Result<T> decoded = C::Decode(bytes);
    if (!decoded.ok()) return UndecodableEntry(cursor_->partition_name(), key_, part, decoded.status());
    return decoded;
  }

  const ScanCursor* cursor_;
  std::string_view key_;
  std::string_view value_;
};

// Typed entries of a range, as a C++20 input range and view:
//
//   for (const auto& entry : users.ScanIter() | std::views::take(10)) ARROW_ASSIGN_OR_RAISE(User user, entry.value());
//
// Incrementing only marks; the entry is read when it is looked at, so take(n) reads n entries. A failing scan does not
// look like its end: it yields one last entry whose key(), value() and status() are the error, which status() also has.
// Like the cursor it can be iterated once, and must stay in place between begin() and the end.
template <class K, class V, class KC = DefaultKeyCodec<K>, class VC = DefaultValueCodec<V>>
requires Codec<KC, K> && Codec<VC, V>
class ScanIterator : public std::ranges::view_base {
 public:
  using Element = Entry<K, V, KC, VC>;

  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = Element;
    using difference_type = std::ptrdiff_t;

    iterator() = default;
    Element operator*() const {
      scan_->Settle();
      return Element(&scan_->cursor_);
    }
    iterator& operator++() {
      scan_->Settle();  // an entry that nobody looked at is still passed
      scan_->pending_ = true;
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& it, std::default_sentinel_t) { return it.at_end(); }

   private:
    friend class ScanIterator;
    bool at_end() const { return scan_->AtEnd(); }
    explicit iterator(ScanIterator* scan) : scan_(scan) {}
    ScanIterator* scan_ = nullptr;
  };

  explicit ScanIterator(ScanCursor cursor) : cursor_(std::move(cursor)) {}

  iterator begin() { return iterator(this); }
  std::default_sentinel_t end() const { return {}; }

  const arrow::Status& status() const { return cursor_.status(); }
  uint64_t rows_visited() const { return cursor_.rows_visited(); }
  uint64_t bytes_visited() const { return cursor_.bytes_visited(); }

 private:
  void Settle() {
    if (!pending_) return;
    pending_ = false;
    if (failed_ || at_end_) {  // the entry with the error was the last
      at_end_ = true;
      return;
    }
    if (cursor_.Next()) return;
    (cursor_.status().ok() ? at_end_ : failed_) = true;
  }
  bool AtEnd() {
    Settle();
    return at_end_;
  }

  ScanCursor cursor_;
  bool pending_ = true;
  bool failed_ = false;
  bool at_end_ = false;
};

}  // namespace yarrow
