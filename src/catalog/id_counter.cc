#include <algorithm>
#include <utility>

#include "catalog/catalog.h"
#include "store/store_commits.h"
#include "yarrow/codec.h"

namespace yarrow {
namespace {
constexpr int64_t kLargestLease = int64_t{1} << 20;
}  // namespace

IdCounter::IdCounter(std::shared_ptr<Store> store, Partition counters, std::string key)
    : store_(std::move(store)), counters_(counters), key_(std::move(key)) {}

arrow::Result<int64_t> IdCounter::Take(int64_t count) {
  std::lock_guard lock(mutex_);
  if (!loaded_) {
    PinnedValue bytes;
    ARROW_ASSIGN_OR_RAISE(const bool found, store_->Get(counters_, key_, &bytes));
    if (found) {
      ARROW_ASSIGN_OR_RAISE(next_, DefaultValueCodec<int64_t>::Decode(bytes.view()));
    }
    leased_end_ = next_;
    loaded_ = true;
  }
  if (next_ + count > leased_end_) {
    // A crash wastes what is left of a lease; a growing one costs a long load few commits.
    const int64_t end = next_ + std::max(count, lease_);
    std::string bytes;
    DefaultValueCodec<int64_t>::Encode(end, &bytes);
    CommitOptions options;
    options.sync = true;
    // Leases are no transaction's business, not even of one that inserts rows and then drops the table with its
    // counter.
    options.moves_only = true;
    ARROW_RETURN_NOT_OK(store_->commits().CommitPut(counters_, key_, bytes, options));
    leased_end_ = end;
    lease_ = std::min(lease_ * 4, kLargestLease);
  }
  return std::exchange(next_, next_ + count);
}

}  // namespace yarrow
