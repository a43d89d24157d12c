#include "table/row_walker.h"

#include <utility>

namespace yarrow {

RowWalker::RowWalker(std::shared_ptr<const ScanPlan> plan, Snapshot snapshot, const std::atomic<bool>* cancelled)
    : plan_(std::move(plan)), snapshot_(std::move(snapshot)), cancelled_(cancelled) {
  if (plan_->predicate) evaluator_.emplace(plan_->predicate);
}

void RowWalker::Narrow(std::shared_ptr<const RowPredicate> predicate) {
  narrower_.reset();
  if (predicate) narrower_.emplace(std::move(predicate));
}

void RowWalker::Start(std::vector<KeyRange> ranges) {
  ranges_ = std::move(ranges);
  ranges_begun_ = 0;
  range_open_ = false;
  if (!ranges_.empty()) OpenCursor();
}

// One cursor spans all ranges of the piece and is pointed at one after the other.
void RowWalker::OpenCursor() {
  visited_before_ = rows_visited();
  bytes_before_ = bytes_visited();
  const ScanSource& source = plan_->source;
  if (source.kind == SourceKind::kStatistics) {
    cursor_.emplace<StatisticsCursor>(*source.store, plan_->reverse);
    return;
  }
  ScanSpec spec;
  spec.partition = source.partition;
  spec.lower = ranges_.front().lower;
  spec.upper = ranges_.back().upper;
  spec.reverse = plan_->reverse;
  spec.snapshot = snapshot_;
  spec.overlay = source.overlay;
  cursor_.emplace<ScanCursor>(source.store->Scan(std::move(spec)));
  // A single range is the cursor's own: it needs no further bounds.
  range_open_ = ranges_.size() == 1;
  ranges_begun_ = range_open_ ? 1 : 0;
}

void RowWalker::NextRange() {
  const KeyRange& range = plan_->reverse ? ranges_[ranges_.size() - 1 - ranges_begun_] : ranges_[ranges_begun_];
  ++ranges_begun_;
  range_open_ = true;
  std::visit(
      [&]<class Cursor>(Cursor& cursor) {
        if constexpr (!std::is_same_v<Cursor, std::monostate>) cursor.ResetRange(range.lower, range.upper);
      },
      cursor_);
}

uint64_t RowWalker::rows_visited() const {
  return visited_before_ + std::visit(
                               []<class Cursor>(const Cursor& cursor) -> uint64_t {
                                 if constexpr (std::is_same_v<Cursor, std::monostate>)
                                   return 0;
                                 else
                                   return cursor.rows_visited();
                               },
                               cursor_);
}

uint64_t RowWalker::bytes_visited() const {
  return bytes_before_ + std::visit(
                             []<class Cursor>(const Cursor& cursor) -> uint64_t {
                               if constexpr (std::is_same_v<Cursor, std::monostate>)
                                 return 0;
                               else
                                 return cursor.bytes_visited();
                             },
                             cursor_);
}

}  // namespace yarrow
