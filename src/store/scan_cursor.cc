#include <algorithm>
#include <utility>

#include "store/home_process.h"
#include "store/rocksdb_slice.h"
#include "store/scan_state.h"
#include "store/write_set.h"
#include "yarrow/codec.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

void ScanCursor::DeleteState::operator()(State* state) const {
  DeleteAtHome()(state);
}

ScanCursor::ScanCursor(StatePtr state) : state_(std::move(state)) {}
ScanCursor::ScanCursor(ScanCursor&&) noexcept = default;
ScanCursor& ScanCursor::operator=(ScanCursor&&) noexcept = default;
ScanCursor::~ScanCursor() = default;

bool ScanCursor::Next() {
  if (!HomeProcess::IsHome()) [[unlikely]]
    return LeaveForeign();
  switch (step_) {
    case Step::kForward:
      state_->iterator->Next();
      state_->Settle();
      return TakeBase();
    case Step::kReverse:
      state_->iterator->Prev();
      state_->Settle();
      return TakeBase();
    case Step::kOther:
      break;
  }
  return NextSlow();
}

inline bool ScanCursor::Take(std::string_view key, std::string_view value) {
  key_ = key;
  value_ = value;
  ++rows_visited_;
  bytes_visited_ += key.size() + value.size();
  return true;
}

inline bool ScanCursor::TakeBase() {
  const rocksdb::Iterator& base = *state_->iterator;
  if (!base.Valid()) [[unlikely]]
    return Finish();
  return Take(ToView(base.key()), ToView(base.value()));
}

bool ScanCursor::Finish() {
  State& s = *state_;
  s.phase = State::Phase::kAfter;
  step_ = Step::kOther;
  key_ = {};
  value_ = {};
  if (s.iterator != nullptr && s.status.ok() && !s.iterator->status().ok()) {
    s.status = s.ReadError(s.iterator->status());
  }
  return false;
}

// In a forked child, where RocksDB's iterator must not be touched.
bool ScanCursor::LeaveForeign() {
  state_->status = HomeProcess::Check();
  state_->phase = State::Phase::kAfter;
  step_ = Step::kOther;
  key_ = {};
  value_ = {};
  return false;
}

bool ScanCursor::NextSlow() {
  State& s = *state_;
  if (s.phase == State::Phase::kAfter) return false;
  if (s.phase == State::Phase::kBefore) {
    const bool empty_range = !s.upper.empty() && s.lower >= s.upper;
    if (empty_range || (!s.is_checked && !CheckSpec())) return Finish();
    if (s.is_point()) return NextPoint();
    if (s.iterator == nullptr) s.Open();
    Position();
  } else if (!s.merging) {
    s.Step();
  }
  if (s.merging) return NextMerged();
  if (s.iterator->Valid() && s.OutOfRange(ToView(s.iterator->key()))) return Finish();
  return TakeBase();
}

bool ScanCursor::CheckSpec() {
  State& s = *state_;
  s.status = s.store->impl()->CheckPartition(s.spec.partition);
  if (s.status.ok()) s.status = s.store->impl()->CheckSnapshot(s.spec.snapshot);
  return s.is_checked = s.status.ok();
}

// One key is read by Get: it asks the filters of the files first, and an iterator over all of them costs as much again.
bool ScanCursor::NextPoint() {
  State& s = *state_;
  s.phase = State::Phase::kAfter;
  s.overlay.Position(s.writes, s.spec.partition, s.lower, s.upper, nullptr, /*reverse=*/false);
  if (!s.overlay.status().ok()) {
    s.status = s.overlay.status();
    return Finish();
  }
  if (const WriteOp* const op = s.overlay.current()) {
    return op->kind == WriteOp::Kind::kPut ? Take(op->key(), op->value()) : Finish();
  }
  rocksdb::ReadOptions read;
  // A single Get is one state of the store in itself; only several need a snapshot to agree.
  const bool unpinned = s.is_whole_spec() && s.own_snapshot == nullptr;
  read.snapshot = unpinned ? StoreImpl::RawSnapshot(s.spec.snapshot) : s.PinnedSnapshot();
  read.fill_cache = s.spec.fill_cache;
  s.point.Reset();
  const rocksdb::Status got =
      s.store->impl()->db->Get(read, StoreImpl::Handle(s.spec.partition), ToSlice(s.lower), &s.point);
  if (got.ok()) return Take(s.lower, ToView(s.point));
  if (!got.IsNotFound()) s.status = s.ReadError(got);
  return Finish();
}

void ScanCursor::Pin() {
  if (HomeProcess::IsHome()) state_->PinnedSnapshot();
}

void ScanCursor::Position() {
  State& s = *state_;
  // RocksDB reads the bounds through our pointers whenever it seeks, so they can change from range to range.
  s.lower_bound = ToSlice(s.lower);
  s.upper_bound = ToSlice(s.upper);
  s.check_upper = !s.has_upper_bound && !s.upper.empty();
  s.check_lower = !s.has_lower_bound && !s.lower.empty();
  if (!s.spec.reverse) {
    s.SeekTo(s.has_target && s.target > s.lower ? s.target : s.lower);
  } else if (s.has_target && (s.upper.empty() || s.target < s.upper)) {
    s.SeekTo(s.target + '\0');
  } else {
    s.SeekTo(s.upper);
  }
  const std::string_view target = s.target;
  s.overlay.Position(s.writes, s.spec.partition, s.lower, s.upper, s.has_target ? &target : nullptr, s.spec.reverse);
  s.merging = s.overlay.current() != nullptr || !s.overlay.status().ok();
  s.advance_base = s.advance_overlay = false;
  s.has_target = false;
  s.phase = State::Phase::kInside;
  if (!s.merging && !s.checks_range()) step_ = s.spec.reverse ? Step::kReverse : Step::kForward;
}

bool ScanCursor::NextMerged() {
  State& s = *state_;
  for (;;) {
    if (std::exchange(s.advance_base, false)) s.Step();
    if (std::exchange(s.advance_overlay, false)) s.overlay.Advance();
    const rocksdb::Iterator& base = *s.iterator;
    if (!base.Valid() && !base.status().ok()) return Finish();
    if (!s.overlay.status().ok()) {
      s.status = s.overlay.status();
      return Finish();
    }
    const std::string_view base_key = base.Valid() ? ToView(base.key()) : std::string_view();
    const bool has_base = base.Valid() && !s.OutOfRange(base_key);
    const WriteOp* const op = s.overlay.current();
    if (!has_base && op == nullptr) return Finish();
    int order = op == nullptr ? -1 : 1;
    if (has_base && op != nullptr) {
      order = base_key.compare(op->key());
      if (s.spec.reverse) order = -order;
    }
    s.advance_base = order <= 0;
    if (order < 0) return Take(base_key, ToView(base.value()));
    s.advance_overlay = true;
    if (op->kind == WriteOp::Kind::kPut) return Take(op->key(), op->value());
  }
}

void ScanCursor::Seek(std::string_view key) {
  State& s = *state_;
  if (!s.status.ok()) return;
  s.target = key;
  s.has_target = true;
  s.phase = State::Phase::kBefore;
  step_ = Step::kOther;
}

void ScanCursor::ResetRange(std::string_view lower, std::string_view upper) {
  State& s = *state_;
  if (!s.status.ok()) return;
  s.lower = lower.empty() ? std::string_view(s.spec.lower) : lower;
  s.upper = upper.empty() ? std::string_view(s.spec.upper) : upper;
  s.has_target = false;
  s.phase = State::Phase::kBefore;
  step_ = Step::kOther;
}

const arrow::Status& ScanCursor::status() const {
  return state_->status;
}

uint64_t ScanCursor::snapshot_sequence() const {
  if (!state_->spec.snapshot.is_null()) return state_->spec.snapshot.sequence();
  return state_->own_snapshot == nullptr ? 0 : state_->own_snapshot->GetSequenceNumber();
}

std::string_view ScanCursor::partition_name() const {
  return state_->store->PartitionName(state_->spec.partition);
}

arrow::Status UndecodableEntry(std::string_view partition_name, std::string_view key, std::string_view part,
                               const arrow::Status& cause) {
  return cause.WithMessage("cannot decode the ", part, " of the entry ", FormatKey(key), " in partition '",
                           partition_name, "': ", cause.message());
}

}  // namespace yarrow
