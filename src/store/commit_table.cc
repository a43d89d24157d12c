#include "store/commit_table.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace yarrow {

namespace {

bool Contains(const WriteRange& range, uint32_t partition_id, std::string_view key) {
  return range.partition_id == partition_id && range.lower <= key && key < range.upper;
}

}  // namespace

void CommitTable::Record(std::span<const uint64_t> hashes, uint64_t sequence) {
  for (const uint64_t hash : hashes) {
    uint64_t& last = last_commit_.At(hash);
    last = std::max(last, sequence);
    points_.push_back({hash, sequence});
  }
  map_newest_ = std::max(map_newest_, sequence);
  newest_ = std::max(newest_, sequence);
  if (points_.size() >= (runs_.empty() ? kFewPoints : kManyPoints)) CloseMap();
}

void CommitTable::Record(std::shared_ptr<const KeyHashes> keys, uint64_t sequence) {
  AddRun(std::make_shared<const CommitRun>(std::move(keys), sequence));
  newest_ = std::max(newest_, sequence);
}

void CommitTable::RecordRange(const WriteRange& range, uint64_t sequence) {
  const auto at = std::ranges::upper_bound(ranges_, sequence, {}, &RangeCommit::sequence);
  ranges_.insert(at, {range, sequence});
  newest_ = std::max(newest_, sequence);
}

void CommitTable::CloseMap() {
  AddRun(std::make_shared<const CommitRun>(std::move(points_)));
  ForgetMap();
}

void CommitTable::ForgetMap() {
  points_.clear();
  last_commit_.Clear();
  map_newest_ = 0;
  ++map_number_;
}

void CommitTable::AddRun(std::shared_ptr<const CommitRun> run) {
  run_bytes_ += run->memory_bytes();
  newest_up_to_.push_back(std::max(newest_up_to_.empty() ? 0 : newest_up_to_.back(), run->newest()));
  runs_.push_back(std::move(run));
}

void CommitTable::Forget(std::shared_ptr<const CommitRun> run) noexcept {
  try {
    forgotten_.push_back(std::move(run));
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): freed at once
  }
}

void CommitTable::DropUpTo(uint64_t sequence) {
  while (!runs_.empty() && newest_up_to_.front() <= sequence) {
    run_bytes_ -= runs_.front()->memory_bytes();
    Forget(std::move(runs_.front()));
    runs_.pop_front();
    newest_up_to_.pop_front();
    ++runs_forgotten_;
  }
  if (!points_.empty() && map_newest_ <= sequence) ForgetMap();
  while (!ranges_.empty() && ranges_.front().sequence <= sequence) ranges_.pop_front();
}

void CommitTable::Clear() {
  if (!points_.empty()) ForgetMap();
  runs_forgotten_ += runs_.size();
  run_bytes_ = kept_bytes_ = 0;
  for (auto& run : runs_) Forget(std::move(run));
  runs_.clear();
  newest_up_to_.clear();
  ranges_.clear();
}

arrow::Result<uint64_t> CommitTable::LastCommit(uint64_t key_hash, uint32_t partition_id, std::string_view key,
                                                uint64_t after) const {
  uint64_t last = last_commit_.Find(key_hash);
  for (size_t i = runs_.size(); i > 0 && newest_up_to_[i - 1] > after; --i) {
    if (runs_[i - 1]->newest() <= after) continue;
    ARROW_ASSIGN_OR_RAISE(const uint64_t in_run, runs_[i - 1]->LastCommit(key_hash));
    last = std::max(last, in_run);
  }
  for (auto commit = ranges_.rbegin(); commit != ranges_.rend() && commit->sequence > after; ++commit) {
    if (Contains(commit->range, partition_id, key)) last = std::max(last, commit->sequence);
  }
  return last > after ? last : 0;
}

uint64_t CommitTable::LastCommitOfRange(const WriteRange& range, uint64_t after) const {
  for (auto commit = ranges_.rbegin(); commit != ranges_.rend() && commit->sequence > after; ++commit) {
    if (Overlap(commit->range, range)) return commit->sequence;
  }
  return 0;
}

CommitTable::Recorded CommitTable::Since(Position* position, uint64_t after) const {
  Recorded recorded;
  for (size_t i = runs_.size(); i > 0 && runs_forgotten_ + i > position->runs && newest_up_to_[i - 1] > after; --i) {
    if (runs_[i - 1]->newest() > after) recorded.runs.push_back(runs_[i - 1]);
  }
  const size_t seen = position->map == map_number_ ? position->points : 0;
  if (map_newest_ > after) {
    const auto from = points_.begin() + static_cast<std::ptrdiff_t>(seen);
    std::copy_if(from, points_.end(), std::back_inserter(recorded.points),
                 [&](const CommitRun::Point& point) { return point.sequence > after; });
  }
  *position = {runs_forgotten_ + runs_.size(), map_number_, points_.size()};
  return recorded;
}

std::shared_ptr<const CommitRun> CommitTable::FindRunToSpill() const {
  if (run_bytes_ <= std::max(budget_bytes_, kept_bytes_)) return nullptr;
  const auto run = std::ranges::find_if(runs_, [](const auto& r) { return !r->is_spilled(); });
  return run == runs_.end() ? nullptr : *run;
}

void CommitTable::Replace(const CommitRun* run, std::shared_ptr<const CommitRun> spilled) {
  const auto at = std::ranges::find_if(runs_, [&](const auto& r) { return r.get() == run; });
  if (at == runs_.end()) return;  // forgotten meanwhile
  run_bytes_ -= run->memory_bytes();
  run_bytes_ += spilled->memory_bytes();
  *at = std::move(spilled);
}

size_t CommitTable::size() const {
  size_t size = last_commit_.size() + ranges_.size();
  for (const auto& run : runs_) size += run->size();
  return size;
}

uint64_t CommitTable::memory_bytes() const {
  uint64_t bytes = run_bytes_ + last_commit_.memory_bytes() + points_.capacity() * sizeof(points_[0]);
  for (const RangeCommit& commit : ranges_) {
    bytes += sizeof(RangeCommit) + commit.range.lower.size() + commit.range.upper.size();
  }
  return bytes;
}

}  // namespace yarrow
