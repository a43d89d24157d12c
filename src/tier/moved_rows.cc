#include "tier/moved_rows.h"

#include <algorithm>
#include <atomic>
#include <future>

#include "store/oldest_snapshot.h"

namespace yarrow {
namespace {

// Ranges with less between them are compacted at once: they share files, which would be written anew for each.
constexpr uint64_t kNeighbourBytes = 64 << 20;

bool GoesOn(const std::function<bool()>& goes_on) {
  return !goes_on || goes_on();
}

}  // namespace

void MovedRows::Add(std::vector<Move> moves) {
  std::lock_guard lock(mutex_);
  for (Move& move : moves) {
    const Part part{move.sequence, move.rows};
    const auto [at, is_new] =
        waiting_.try_emplace(std::move(move.range.lower), std::move(move.range.upper), part, std::nullopt);
    if (is_new) continue;
    std::optional<Part>& others = at->second.others;
    others = others ? Part{std::max(others->sequence, part.sequence), others->rows + part.rows} : part;
  }
}

uint64_t MovedRows::CountIn(const KeyRange& range) const {
  std::lock_guard lock(mutex_);
  uint64_t rows = 0;
  const auto end = range.upper.empty() ? waiting_.end() : waiting_.lower_bound(range.upper);
  for (auto at = waiting_.lower_bound(range.lower); at != end; ++at) {
    rows += at->second.first.rows + (at->second.others ? at->second.others->rows : 0);
  }
  return rows;
}

// In order.
std::vector<KeyRange> MovedRows::DueRanges(uint64_t oldest_snapshot) const {
  std::vector<KeyRange> ranges;
  for (const auto& [lower, waiting] : waiting_) {
    if (waiting.first.sequence <= oldest_snapshot) ranges.push_back({lower, waiting.upper});
  }
  return ranges;
}

bool MovedRows::HasDue() const {
  std::lock_guard lock(mutex_);
  if (waiting_.empty() || is_dropping_) return false;
  const uint64_t oldest = OldestSnapshot(*store_);
  return std::ranges::any_of(waiting_, [&](const auto& waiting) { return waiting.second.first.sequence <= oldest; });
}

std::vector<KeyRange> MovedRows::JoinNeighbours(std::vector<KeyRange> ranges) const {
  std::vector<KeyRange> joined;
  for (KeyRange& range : ranges) {
    if (!joined.empty() && store_->ApproximateBytes(rows_, joined.back().upper, range.lower) < kNeighbourBytes) {
      joined.back().upper = std::max(joined.back().upper, range.upper);
    } else {
      joined.push_back(std::move(range));
    }
  }
  return joined;
}

// False: it was cancelled, or has failed.
bool MovedRows::Compact(const KeyRange& range, const std::function<bool()>& goes_on) {
  std::atomic<bool> cancelled{false};
  auto compaction = std::async(std::launch::async,
                               [&] { return store_->CompactRange(rows_, range.lower, range.upper, &cancelled).ok(); });
  while (compaction.wait_for(kBetweenQuestions) != std::future_status::ready) {
    if (!GoesOn(goes_on)) cancelled = true;
  }
  return compaction.get();
}

// What was due by `oldest_snapshot`.
void MovedRows::Erase(const KeyRange& range, uint64_t oldest_snapshot) {
  std::lock_guard lock(mutex_);
  for (auto at = waiting_.lower_bound(range.lower); at != waiting_.end() && at->first < range.upper;) {
    Waiting& waiting = at->second;
    if (waiting.others && waiting.others->sequence <= oldest_snapshot) waiting.others.reset();
    if (waiting.first.sequence > oldest_snapshot) {
      ++at;
    } else if (waiting.others) {
      waiting.first = *std::exchange(waiting.others, std::nullopt);
      ++at;
    } else {
      at = waiting_.erase(at);
    }
  }
}

void MovedRows::DropDue(const std::function<bool()>& goes_on) {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) return;
  while (!dropped_.wait_for(lock, kBetweenQuestions, [&] { return !is_dropping_; })) {
    lock.unlock();
    if (!GoesOn(goes_on)) return;
    lock.lock();
  }
  const uint64_t oldest = OldestSnapshot(*store_);
  std::vector<KeyRange> due = DueRanges(oldest);
  is_dropping_ = true;
  lock.unlock();
  const auto end = [&] {
    lock.lock();
    is_dropping_ = false;
    lock.unlock();
    dropped_.notify_all();
  };
  try {
    for (const KeyRange& range : JoinNeighbours(std::move(due))) {
      if (!GoesOn(goes_on) || !Compact(range, goes_on)) break;
      Erase(range, oldest);
    }
  } catch (...) {
    end();
    throw;
  }
  end();
}

}  // namespace yarrow
