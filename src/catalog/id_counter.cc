#include <algorithm>
#include <utility>

#include "catalog/catalog.h"
#include "store/store_commits.h"
#include "yarrow/codec.h"

namespace yarrow {

IdCounter::IdCounter(std::shared_ptr<Store> store, Partition counters, std::string key, int64_t lease,
                     int64_t largest_lease)
    : store_(std::move(store)),
      counters_(counters),
      key_(std::move(key)),
      largest_lease_(largest_lease),
      lease_(lease) {}

arrow::Result<int64_t> IdCounter::Take(int64_t count) {
  std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(Load());
  return TakeLocked(count);
}

arrow::Result<std::optional<int64_t>> IdCounter::TakeUpTo(int64_t last, int64_t count) {
  std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(Load());
  const int64_t left = last - (next_ - 1);
  if (count > left) {
    if (left > 0) ARROW_RETURN_NOT_OK(TakeLocked(left).status());
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t first, TakeLocked(count));
  return first;
}

arrow::Result<int64_t> IdCounter::Taken() {
  std::lock_guard lock(mutex_);
  ARROW_RETURN_NOT_OK(Load());
  return next_ - 1;
}

arrow::Status IdCounter::GiveBackLease() {
  std::lock_guard lock(mutex_);
  if (next_ == leased_end_) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(Record(next_));
  leased_end_ = next_;
  return arrow::Status::OK();
}

arrow::Status IdCounter::Load() {
  if (loaded_) return arrow::Status::OK();
  PinnedValue bytes;
  ARROW_ASSIGN_OR_RAISE(const bool found, store_->Get(counters_, key_, &bytes));
  if (found) {
    ARROW_ASSIGN_OR_RAISE(next_, DefaultValueCodec<int64_t>::Decode(bytes.view()));
  }
  leased_end_ = next_;
  loaded_ = true;
  return arrow::Status::OK();
}

arrow::Result<int64_t> IdCounter::TakeLocked(int64_t count) {
  if (next_ + count > leased_end_) {
    // A crash wastes what is left of a lease; a growing one costs a long load few commits.
    const int64_t end = next_ + std::max(count, lease_);
    ARROW_RETURN_NOT_OK(Record(end));
    leased_end_ = end;
    lease_ = std::min(lease_ * 4, largest_lease_);
  }
  return std::exchange(next_, next_ + count);
}

arrow::Status IdCounter::Record(int64_t end) {
  std::string bytes;
  DefaultValueCodec<int64_t>::Encode(end, &bytes);
  CommitOptions options;
  options.sync = true;
  // Leases are no transaction's business, not even of one that inserts rows and then drops the table with its counter.
  options.moves_only = true;
  return store_->commits().CommitPut(counters_, key_, bytes, options).status();
}

}  // namespace yarrow
