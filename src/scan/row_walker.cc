#include "scan/row_walker.h"

#include <utility>

#include "store/store_commits.h"

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
  visited_before_ = rows_visited();
  bytes_before_ = bytes_visited();
  row_groups_before_ = row_groups_read();
  cursor_.emplace<std::monostate>();
  must_open_ = !ranges_.empty();
}

namespace {

// Calls use(cursor) with the cursor that is there.
template <class Variant, class Use>
auto WithCursor(Variant& variant, const Use& use) {
  return std::visit(
      [&]<class Cursor>(Cursor& cursor) {
        if constexpr (std::is_same_v<std::remove_const_t<Cursor>, std::monostate>) {
          return decltype(use(std::get<ScanCursor>(variant)))();
        } else if constexpr (requires { *cursor; }) {
          return use(*cursor);
        } else {
          return use(cursor);
        }
      },
      variant);
}

}  // namespace

arrow::Status RowWalker::Open() {
  must_open_ = false;
  return opened_ = OpenCursor();
}

// One cursor spans all ranges of the piece and is pointed at one after the other.
arrow::Status RowWalker::OpenCursor() {
  const ScanSource& source = plan_->source;
  if (source.kind == SourceKind::kComputed) {
    ARROW_ASSIGN_OR_RAISE(auto rows, MakeComputedRows(source.computed, *source.tier, *source.jobs, snapshot_));
    cursor_.emplace<ComputedCursor>(std::move(rows), plan_->reverse);
    return arrow::Status::OK();
  }
  if (source.kind == SourceKind::kFound) {
    cursor_.emplace<FoundCursor>(source.found, plan_->reverse);
    return arrow::Status::OK();
  }
  if (source.MayHaveSegments() && snapshot_.is_null()) snapshot_ = source.store->GetSnapshot();
  ScanSpec spec;
  spec.partition = source.partition;
  spec.lower = ranges_.front().lower;
  spec.upper = ranges_.back().upper;
  spec.reverse = plan_->reverse;
  spec.snapshot = snapshot_;
  spec.fill_cache = plan_->fill_cache;
  ScanCursor hot = source.store->commits().Scan(spec, source.overlay);
  if (source.cold && snapshot_.is_null()) {
    // If rows are moved to a first segment from now on, the pinned state has them where they are.
    hot.Pin();
    if (source.MayHaveSegments()) return OpenCursor();
  }
  std::unique_ptr<TieredCursor> tiers;
  // Without a snapshot the state is pinned from before any segment: one that comes now is none of its.
  if (!snapshot_.is_null() && source.MayHaveSegments()) {
    ARROW_ASSIGN_OR_RAISE(tiers, OpenTiers(spec));
  }
  if (tiers) {
    cursor_.emplace<std::unique_ptr<TieredCursor>>(std::move(tiers));
  } else {
    cursor_.emplace<ScanCursor>(std::move(hot));
  }
  // A single range is the cursor's own: it needs no further bounds.
  range_open_ = ranges_.size() == 1;
  ranges_begun_ = range_open_ ? 1 : 0;
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<TieredCursor>> RowWalker::OpenTiers(const ScanSpec& spec) {
  const ScanSource& source = plan_->source;
  if (!cold_) {
    ARROW_ASSIGN_OR_RAISE(ColdPieces found, FindColdPieces(*plan_, snapshot_));
    cold_ = std::make_shared<const ColdPieces>(std::move(found));
  }
  std::vector<ColdPiece> pieces = cold_->In(spec.lower, spec.upper);
  if (pieces.empty()) return nullptr;
  auto read = std::make_unique<ColdRead>(ColdRead{source.row_schema, source.key_prefix, plan_->read_columns,
                                                  plan_->tested, plan_->reverse, snapshot_, source.overlay});
  return std::make_unique<TieredCursor>(source.store->commits().Scan(spec, source.overlay), std::move(read),
                                        std::move(pieces), ranges_);
}

void RowWalker::NextRange() {
  const KeyRange& range = plan_->reverse ? ranges_[ranges_.size() - 1 - ranges_begun_] : ranges_[ranges_begun_];
  ++ranges_begun_;
  range_open_ = true;
  WithCursor(cursor_, [&](auto& cursor) { cursor.ResetRange(range.lower, range.upper); });
}

uint64_t RowWalker::rows_visited() const {
  return visited_before_ + WithCursor(cursor_, [](const auto& cursor) { return cursor.rows_visited(); });
}

uint64_t RowWalker::bytes_visited() const {
  return bytes_before_ + WithCursor(cursor_, [](const auto& cursor) { return cursor.bytes_visited(); });
}

uint64_t RowWalker::row_groups_read() const {
  const auto* tiers = std::get_if<std::unique_ptr<TieredCursor>>(&cursor_);
  return row_groups_before_ + (tiers != nullptr ? (*tiers)->row_groups_read() : 0);
}

}  // namespace yarrow
