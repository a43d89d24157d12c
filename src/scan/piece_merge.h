// PieceMerge: the segments that a scan reads as one sequence of keys.
//
// A segment is opened when the merge comes to its first key, and let go at its end: so a walk over thousands of them
// has those in memory whose keys overlap at the place where it is.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "scan/cold_pieces.h"
#include "store/key_heap.h"

namespace yarrow {

// `Source`: the rows of one piece, in the order of the scan; has std::string_view key() const of the row at hand,
// arrow::Result<bool> Advance() to the next (false: at the end; the first call goes to the first row), and uint64_t
// row_groups_read() const. No two pieces have a row with the same key that is there. Not thread-safe.
template <class Source>
class PieceMerge {
 public:
  using Open = std::function<arrow::Result<std::unique_ptr<Source>>(const ColdPiece& piece)>;

  PieceMerge(std::vector<ColdPiece> pieces, bool reverse, Open open)
      : reverse_(reverse), open_(std::move(open)), waiting_(std::move(pieces)), begun_(IsBefore{reverse}) {
    std::ranges::sort(waiting_, [&](const ColdPiece& a, const ColdPiece& b) {
      return reverse_ ? BoundOf(a) < BoundOf(b) : BoundOf(a) > BoundOf(b);
    });
  }

  bool at_end() const { return begun_.empty() && waiting_.empty(); }
  // No row is left that comes before this key. REQUIRES: !at_end().
  std::string_view bound() const {
    if (begun_.empty()) return BoundOf(waiting_.back());
    if (waiting_.empty() || !ComesBefore(BoundOf(waiting_.back()), begun_.top()->key())) return begun_.top()->key();
    return BoundOf(waiting_.back());
  }
  // Opens the pieces that may have the next row. False: there is none.
  arrow::Result<bool> Reach() {
    while (!waiting_.empty() && (begun_.empty() || !ComesBefore(begun_.top()->key(), BoundOf(waiting_.back())))) {
      ARROW_ASSIGN_OR_RAISE(auto source, open_(waiting_.back()));
      waiting_.pop_back();
      ARROW_ASSIGN_OR_RAISE(const bool has_row, source->Advance());
      if (has_row) {
        begun_.Push(std::move(source));
      } else {
        row_groups_of_ended_ += source->row_groups_read();
      }
    }
    return !begun_.empty();
  }
  // The one that has the next row. REQUIRES: Reach() has said true, and it was not advanced since.
  Source& top() { return *begun_.top(); }
  // The smallest key that another piece may have; empty: none has any.
  std::string_view bound_of_others() const {
    const auto* second = begun_.second();
    if (second == nullptr) return waiting_.empty() ? std::string_view() : BoundOf(waiting_.back());
    if (waiting_.empty() || !ComesBefore(BoundOf(waiting_.back()), (*second)->key())) return (*second)->key();
    return BoundOf(waiting_.back());
  }
  arrow::Status Advance() {
    ARROW_ASSIGN_OR_RAISE(const bool has_row, begun_.top()->Advance());
    if (has_row) {
      begun_.MovedOn();
    } else {
      row_groups_of_ended_ += begun_.Pop()->row_groups_read();
    }
    return arrow::Status::OK();
  }

  uint64_t row_groups_read() const {
    uint64_t read = row_groups_of_ended_;
    begun_.ForEach([&](const auto& source) { read += source->row_groups_read(); });
    return read;
  }

 private:
  struct IsBefore {
    bool reverse = false;
    bool operator()(const std::unique_ptr<Source>& a, const std::unique_ptr<Source>& b) const {
      return reverse ? a->key() > b->key() : a->key() < b->key();
    }
  };

  bool ComesBefore(std::string_view a, std::string_view b) const { return reverse_ ? a > b : a < b; }
  std::string_view BoundOf(const ColdPiece& piece) const {
    const cold::SegmentInfo& info = piece.segment->info();
    return reverse_ ? info.last_key : info.first_key();
  }

  const bool reverse_;
  const Open open_;
  std::vector<ColdPiece> waiting_;  // not opened yet, the next one last
  KeyHeap<std::unique_ptr<Source>, IsBefore> begun_;
  uint64_t row_groups_of_ended_ = 0;
};

}  // namespace yarrow
