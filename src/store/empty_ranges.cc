#include "store/empty_ranges.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace yarrow {

namespace {

// What a deleted range counts for: nobody knows what was in it.
constexpr uint64_t kTombstonesOfDeletedRange = 1 << 12;
// A commit with more is not looked through key by key.
constexpr size_t kManyOps = 1000;
// Comparisons that a commit which deletes ranges makes to know what is left of them.
constexpr size_t kMostComparisons = 1'000'000;

// Of a range in memory, about.
uint64_t BytesOf(std::string_view start, std::string_view end) {
  return start.size() + end.size() + 160;
}

bool IsBelow(std::string_view key, std::string_view upper) {
  return upper.empty() || key < upper;
}

std::string Behind(std::string_view key) {
  std::string behind(key);
  behind.push_back('\0');
  return behind;
}

}  // namespace

EmptyRanges::Search::Search(EmptyRanges* ranges, uint32_t partition_id, std::string lower, std::string upper,
                            bool reverse)
    : ranges_(ranges),
      partition_id_(partition_id),
      reverse_(reverse),
      lower_(std::move(lower)),
      upper_(std::move(upper)) {
  std::lock_guard lock(ranges_->mutex_);
  ranges_->searches_.push_back(this);
  for (const InFlight& commit : ranges_->in_flight_) Cut(commit, this);
}

EmptyRanges::Search::~Search() {
  std::lock_guard lock(ranges_->mutex_);
  std::erase(ranges_->searches_, this);
}

bool EmptyRanges::Search::Rest(std::string* lower, std::string* upper) const {
  std::lock_guard lock(ranges_->mutex_);
  *lower = lower_;
  *upper = upper_;
  return !in_vain_;
}

bool EmptyRanges::Search::Add(std::string lower, std::string upper, uint64_t sequence, uint64_t tombstones) {
  std::lock_guard lock(ranges_->mutex_);
  if (lower < lower_) lower = lower_;
  if (!upper_.empty() && !IsBelow(upper, upper_)) upper = upper_;
  const bool is_too_little = upper.empty() || lower >= upper || tombstones < kLeastTombstones;
  if (in_vain_ || ranges_->is_lost_ || is_too_little) return false;
  ranges_->Insert(partition_id_, std::move(lower), {std::move(upper), sequence, tombstones, 0});
  return true;
}

bool EmptyRanges::SkipForward(uint32_t partition_id, uint64_t sequence, std::string* key) {
  std::lock_guard lock(mutex_);
  const auto partition = by_partition_.find(partition_id);
  if (partition == by_partition_.end()) return false;
  auto found = partition->second.upper_bound(*key);
  if (found == partition->second.begin()) return false;
  Range& range = (--found)->second;
  if (range.since > sequence || *key >= range.end) return false;
  range.used = ++clock_;
  ++passed_;
  *key = range.end;
  return true;
}

bool EmptyRanges::SkipBackward(uint32_t partition_id, uint64_t sequence, std::string* bound) {
  std::lock_guard lock(mutex_);
  const auto partition = by_partition_.find(partition_id);
  if (partition == by_partition_.end()) return false;
  auto found = partition->second.lower_bound(*bound);
  if (found == partition->second.begin()) return false;
  Range& range = (--found)->second;
  if (range.since > sequence || *bound > range.end) return false;
  range.used = ++clock_;
  ++passed_;
  *bound = found->first;
  return true;
}

uint64_t EmptyRanges::passed() const {
  std::lock_guard lock(mutex_);
  return passed_;
}

void EmptyRanges::AddDeleted(std::span<const WriteRange> deleted, std::span<const WriteOp> ops,
                             uint64_t sequence) noexcept try {
  if (deleted.size() * ops.size() > kMostComparisons) return;
  std::vector<std::string_view> put;
  for (const WriteRange& range : deleted) {
    put.clear();
    for (const WriteOp& op : ops) {
      const bool inside = op.partition_id == range.partition_id && op.key() >= range.lower && op.key() < range.upper;
      if (inside && op.kind == WriteOp::Kind::kPut) put.push_back(op.key());
    }
    const uint64_t tombstones = kTombstonesOfDeletedRange / (put.size() + 1);
    if (tombstones < kLeastTombstones) continue;
    std::ranges::sort(put);
    std::lock_guard lock(mutex_);
    std::string lower = range.lower;
    for (const std::string_view key : put) {
      if (lower < key) Insert(range.partition_id, std::move(lower), {std::string(key), sequence, tombstones, 0});
      lower = Behind(key);
    }
    if (lower < range.upper) Insert(range.partition_id, std::move(lower), {range.upper, sequence, tombstones, 0});
  }
} catch (const std::bad_alloc&) {
  std::lock_guard lock(mutex_);
  ForgetAll();
}

uint64_t EmptyRanges::bytes() const {
  std::lock_guard lock(mutex_);
  return bytes_;
}

std::vector<WriteRange> EmptyRanges::HullsOf(std::span<const WriteOp> ops) {
  std::map<uint32_t, std::pair<std::string_view, std::string_view>> hulls;
  for (const WriteOp& op : ops) {
    if (op.kind != WriteOp::Kind::kPut) continue;
    auto& [least, greatest] = hulls.try_emplace(op.partition_id, op.key(), op.key()).first->second;
    if (op.key() < least) least = op.key();
    if (op.key() > greatest) greatest = op.key();
  }
  std::vector<WriteRange> ranges;
  for (const auto& [partition_id, hull] : hulls) {
    ranges.push_back({partition_id, std::string(hull.first), Behind(hull.second)});
  }
  return ranges;
}

void EmptyRanges::OnAnnounce(const CommitView& commit) noexcept {
  std::lock_guard lock(mutex_);
  try {
    Announce(commit);
  } catch (const std::bad_alloc&) {
    is_lost_ = true;
    ForgetAll();
  }
}

void EmptyRanges::Announce(const CommitView& commit) {
  const bool is_large = commit.ops().size() > kManyOps;
  in_flight_.push_back({&commit, is_large ? HullsOf(commit.ops()) : std::vector<WriteRange>()});
  const InFlight& announced = in_flight_.back();
  for (Search* search : searches_) Cut(announced, search);
  if (count_.load(std::memory_order_relaxed) == 0) return;
  is_large ? CutRanges(announced.hulls) : CutOps(commit.ops());
  CutRanges(commit.ranges());
  if (bytes_ > kMostBytes) ForgetOldest();
}

void EmptyRanges::ForgetAll() noexcept {
  by_partition_.clear();
  bytes_ = 0;
  count_ = 0;
  for (Search* search : searches_) search->in_vain_ = true;
}

void EmptyRanges::OnResolve(const CommitView& commit, const CommitOutcome&) noexcept {
  std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(in_flight_, &commit, &InFlight::commit);
  if (found == in_flight_.end()) return;
  std::swap(*found, in_flight_.back());
  in_flight_.pop_back();
}

void EmptyRanges::Cut(const InFlight& commit, Search* search) {
  const auto cut = [search](uint32_t partition_id, std::string_view lower, std::string_view upper) {
    if (partition_id != search->partition_id_) return;
    const bool apart = !IsBelow(lower, search->upper_) || (!upper.empty() && upper <= search->lower_);
    if (apart) return;
    if (search->reverse_) {
      const bool to_the_end = upper.empty() || (!search->upper_.empty() && upper >= search->upper_);
      if (to_the_end) {
        search->in_vain_ = true;
      } else {
        search->lower_ = upper;
      }
    } else if (lower <= search->lower_) {
      search->in_vain_ = true;
    } else {
      search->upper_ = lower;
    }
  };
  for (const WriteRange& range : commit.hulls) cut(range.partition_id, range.lower, range.upper);
  for (const WriteRange& range : commit.commit->ranges()) cut(range.partition_id, range.lower, range.upper);
  if (commit.commit->ops().size() > kManyOps) return;
  for (const WriteOp& op : commit.commit->ops()) {
    if (op.kind != WriteOp::Kind::kPut) continue;
    const bool apart =
        op.partition_id != search->partition_id_ || op.key() < search->lower_ || !IsBelow(op.key(), search->upper_);
    if (!apart) cut(op.partition_id, op.key(), Behind(op.key()));
  }
}

void EmptyRanges::CutRanges(std::span<const WriteRange> ranges) {
  for (const WriteRange& range : ranges) {
    const auto partition = by_partition_.find(range.partition_id);
    if (partition != by_partition_.end()) Cut(&partition->second, range.lower, range.upper);
  }
}

void EmptyRanges::CutOps(std::span<const WriteOp> ops) {
  // Where the last key was in no range: up to the next one, neither is a later key.
  const Ranges* known = nullptr;
  std::string_view from, to;
  uint32_t partition_id = 0;
  for (const WriteOp& op : ops) {
    if (op.kind != WriteOp::Kind::kPut) continue;
    const std::string_view key = op.key();
    if (known != nullptr && op.partition_id == partition_id && key >= from && IsBelow(key, to)) continue;
    const auto partition = by_partition_.find(op.partition_id);
    if (partition == by_partition_.end()) continue;
    Ranges& ranges = partition->second;
    auto next = ranges.upper_bound(key);
    if (next != ranges.begin() && key < std::prev(next)->second.end) {
      Cut(&ranges, key, Behind(key));
      next = ranges.upper_bound(key);
    }
    known = &ranges;
    partition_id = op.partition_id;
    from = key;
    to = next == ranges.end() ? std::string_view() : std::string_view(next->first);
  }
}

void EmptyRanges::Cut(Ranges* ranges, std::string_view lower, std::string_view upper) {
  auto at = ranges->upper_bound(lower);
  if (at != ranges->begin()) --at;
  while (at != ranges->end() && IsBelow(at->first, upper)) {
    if (at->second.end <= lower) {
      ++at;
      continue;
    }
    const std::string start = at->first;
    Range range = at->second;
    at = Erase(ranges, at);
    // Nobody knows on which side the tombstones are. So that keys put one after the other into a range do not leave
    // one behind between each two of them, each side counts for half.
    range.tombstones /= 2;
    if (range.tombstones < kLeastTombstones) continue;
    if (start < lower) {
      Range left = range;
      left.end = lower;
      bytes_ += BytesOf(start, left.end);
      ranges->emplace(start, std::move(left));
      ++count_;
    }
    if (!upper.empty() && upper < range.end) {
      bytes_ += BytesOf(upper, range.end);
      at = ranges->emplace(std::string(upper), std::move(range)).first;
      ++count_;
      ++at;
    }
  }
}

EmptyRanges::Ranges::iterator EmptyRanges::Erase(Ranges* ranges, Ranges::iterator at) {
  bytes_ -= BytesOf(at->first, at->second.end);
  --count_;
  return ranges->erase(at);
}

void EmptyRanges::Insert(uint32_t partition_id, std::string lower, Range range) {
  // The empty key stays out: as a bound it means that there is none.
  if (lower.empty()) lower.push_back('\0');
  if (lower >= range.end || is_lost_) return;
  Ranges& ranges = by_partition_[partition_id];
  auto at = ranges.upper_bound(lower);
  if (at != ranges.begin() && std::prev(at)->second.end >= lower) --at;
  while (at != ranges.end() && at->first <= range.end) {
    lower = std::min(lower, at->first);
    range.end = std::max(range.end, at->second.end);
    range.since = std::max(range.since, at->second.since);
    range.tombstones += at->second.tombstones;
    at = Erase(&ranges, at);
  }
  range.used = ++clock_;
  bytes_ += BytesOf(lower, range.end);
  ranges.emplace(std::move(lower), std::move(range));
  ++count_;
  if (bytes_ > kMostBytes) ForgetOldest();
}

// The half that was not used for longest.
void EmptyRanges::ForgetOldest() {
  std::vector<uint64_t> used;
  for (const auto& [partition, ranges] : by_partition_) {
    for (const auto& [start, range] : ranges) used.push_back(range.used);
  }
  size_t left = used.size() / 2;  // to be forgotten: pieces of one range were used at the same time
  const auto middle = used.begin() + static_cast<std::ptrdiff_t>(left);
  if (middle == used.end()) return;
  std::ranges::nth_element(used, middle);
  for (auto& [partition, ranges] : by_partition_) {
    for (auto at = ranges.begin(); at != ranges.end() && left > 0;) {
      const bool is_old = at->second.used <= *middle;
      left -= is_old ? 1 : 0;
      at = is_old ? Erase(&ranges, at) : std::next(at);
    }
  }
}

}  // namespace yarrow
