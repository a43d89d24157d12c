#include "store/commit_queue.h"

#include <algorithm>

#include "yarrow/codec.h"

namespace yarrow {

namespace {

bool Overlap(const WriteRange& a, const WriteRange& b) {
  return a.partition_id == b.partition_id && a.lower < b.upper && b.lower < a.upper;
}

bool AnyPointInRange(std::span<const WriteOp> ops, std::span<const WriteRange> ranges) {
  for (const WriteRange& range : ranges) {
    for (const WriteOp& op : ops) {
      if (op.partition_id == range.partition_id && range.lower <= op.key() && op.key() < range.upper) return true;
    }
  }
  return false;
}

bool AnyRangesOverlap(std::span<const WriteRange> a, std::span<const WriteRange> b) {
  for (const WriteRange& x : a) {
    for (const WriteRange& y : b) {
      if (Overlap(x, y)) return true;
    }
  }
  return false;
}

bool RangesClash(const CommitView& a, const CommitView& b) {
  return AnyPointInRange(a.ops(), b.ranges()) || AnyPointInRange(b.ops(), a.ranges()) ||
         AnyRangesOverlap(a.ranges(), b.ranges());
}

bool GuardsClash(std::span<const GuardUse> a, std::span<const GuardUse> b) {
  for (const GuardUse& x : a) {
    for (const GuardUse& y : b) {
      if (x.guard == y.guard && (x.exclusive || y.exclusive)) return true;
    }
  }
  return false;
}

}  // namespace

CommitQueue::CommitQueue(uint64_t table_budget_bytes, PartitionNamer partition_name)
    : partition_name_(std::move(partition_name)), table_(table_budget_bytes) {}

arrow::Status CommitQueue::Admit(CommitRequest* request) {
  std::unique_lock lock(mutex_);
  bool queued = false;
  for (;;) {
    // Judged before each wait as well: a transaction that has lost already does not wait to hear it.
    arrow::Status status = Validate(*request);
    const bool wait = status.ok() && MustWait(*request);
    if (!wait) {
      if (queued) std::erase(closing_, request);
      if (status.ok()) {
        Announce(request);
      } else if (IsConflict(status)) {
        ++conflicts_;
      }
      if (queued && waiting_ > 0) resolved_.notify_all();  // it held others back
      return status;
    }
    if (!queued && request->closes()) {
      closing_.push_back(request);
      queued = true;
    }
    ++waits_;
    ++waiting_;
    resolved_.wait(lock);
    --waiting_;
  }
}

void CommitQueue::Resolve(CommitRequest* request, const CommitOutcome& outcome) {
  std::lock_guard lock(mutex_);
  Withdraw(request);
  if (outcome.committed) Record(*request, outcome);
  for (CommitListener* listener : listeners_) listener->OnResolve(*request, outcome);
  if (waiting_ > 0) resolved_.notify_all();
}

arrow::Status CommitQueue::Validate(const CommitRequest& request) const {
  for (const GuardUse& use : request.guards_) {
    if (use.guard->version() != use.version) {
      return ConflictError(use.guard->name() + " changed since this write was planned (version " +
                           std::to_string(use.guard->version()) + " now, " + std::to_string(use.version) + " then)");
    }
  }
  return request.transaction_ == nullptr ? arrow::Status::OK() : ValidateTransaction(request);
}

arrow::Status CommitQueue::ValidateTransaction(const CommitRequest& request) const {
  const WriteTransactionToken& token = *request.transaction_;
  if (!token.live_) return arrow::Status::Invalid("this write transaction has committed already; begin a new one");
  const uint64_t snapshot = token.sequence_;
  if (snapshot < table_.floor()) {
    return ConflictError("the transaction is too old to be judged: it began at sequence " + std::to_string(snapshot) +
                         ", the commit table reaches back to " + std::to_string(table_.floor()) +
                         " (see StoreOptions::commit_table_budget_bytes)");
  }
  if (!request.ranges_.empty()) {
    // The table knows hashes of keys, which say nothing about ranges; the guards know the last commit of their tables.
    if (request.guards_.empty()) {
      return arrow::Status::Invalid("range deletes and bulk loads in a transaction need a guard to be judged by");
    }
    for (const GuardUse& use : request.guards_) {
      if (use.guard->last_commit_sequence() > snapshot) {
        return ConflictError("write conflict: the rows under the " + use.guard->name() + " were changed at sequence " +
                             std::to_string(use.guard->last_commit_sequence()) + ", after this transaction began at " +
                             std::to_string(snapshot) + "; a large write needs them to itself");
      }
    }
  }
  return JudgePoints(request.ops_, request.hashes_, snapshot);
}

arrow::Status CommitQueue::JudgePoints(std::span<const WriteOp> ops, std::span<const uint64_t> hashes,
                                       uint64_t snapshot) const {
  if (table_.newest() <= snapshot) return arrow::Status::OK();
  for (size_t i = 0; i < ops.size(); ++i) {
    const WriteOp& op = ops[i];
    const uint64_t last = table_.LastCommit(hashes[i], op.partition_id, op.key());
    if (last <= snapshot) continue;
    return ConflictError("write conflict on key " + FormatKey(op.key()) + " of partition '" +
                             partition_name_(op.partition_id) + "': another transaction committed it at sequence " +
                             std::to_string(last) + ", after this one began at " + std::to_string(snapshot),
                         ConflictKey{op.partition_id, std::string(op.key())});
  }
  return arrow::Status::OK();
}

arrow::Status CommitQueue::CheckPoints(std::span<const WriteOp> ops, std::span<const uint64_t> hashes,
                                       const WriteTransactionToken& token) const {
  constexpr size_t kOpsALock = 1024;
  for (size_t begin = 0; begin < ops.size(); begin += kOpsALock) {
    const size_t count = std::min(kOpsALock, ops.size() - begin);
    std::lock_guard lock(mutex_);
    if (!token.live_) return arrow::Status::OK();  // whose commit will say so
    ARROW_RETURN_NOT_OK(JudgePoints(ops.subspan(begin, count), hashes.subspan(begin, count), token.sequence_));
  }
  return arrow::Status::OK();
}

bool CommitQueue::MustWait(const CommitRequest& request) const {
  if (GuardsInTheWay(request)) return true;
  if (in_flight_ != nullptr && (PointsInTheWay(request) || RangesInTheWay(request))) return true;
  for (const CommitRequest* earlier : closing_) {
    if (earlier == &request) break;
    if (RangesClash(request, *earlier) || GuardsClash(request.guards_, earlier->guards_)) return true;
  }
  return false;
}

bool CommitQueue::PointsInTheWay(const CommitRequest& request) const {
  // Blind writes of one key need no order among themselves. A transaction must know the outcome of every other write of
  // its keys to be judged, and a blind write must not slip in between its judgement and its write.
  const bool transactional = request.transaction_ != nullptr;
  if (!transactional && transactional_in_flight_ == 0) return false;
  for (uint64_t hash : request.hashes_) {
    const uint64_t pending = pending_.Find(hash);
    if (pending != 0 && (transactional || pending >= kTransactional)) return true;
  }
  return false;
}

bool CommitQueue::RangesInTheWay(const CommitRequest& request) const {
  if (ranges_in_flight_ == 0 && request.ranges_.empty()) return false;
  for (const CommitRequest* other = in_flight_; other != nullptr; other = other->next_) {
    if (RangesClash(request, *other)) return true;
  }
  return false;
}

bool CommitQueue::GuardsInTheWay(const CommitRequest& request) const {
  for (const GuardUse& use : request.guards_) {
    if (use.guard->exclusive_in_flight_ || (use.exclusive && use.guard->shared_in_flight_ > 0)) return true;
  }
  return false;
}

void CommitQueue::Announce(CommitRequest* request) {
  const bool transactional = request->transaction_ != nullptr;
  for (uint64_t hash : request->hashes_) pending_.At(hash) += transactional ? kTransactional : kBlind;
  for (const GuardUse& use : request->guards_) {
    if (use.exclusive) {
      use.guard->exclusive_in_flight_ = true;
    } else {
      ++use.guard->shared_in_flight_;
    }
  }
  transactional_in_flight_ += transactional;
  ranges_in_flight_ += !request->ranges_.empty();
  ++in_flight_count_;
  request->previous_ = nullptr;
  request->next_ = in_flight_;
  if (in_flight_ != nullptr) in_flight_->previous_ = request;
  in_flight_ = request;
  for (CommitListener* listener : listeners_) listener->OnAnnounce(*request);
}

void CommitQueue::Withdraw(CommitRequest* request) {
  const bool transactional = request->transaction_ != nullptr;
  for (uint64_t hash : request->hashes_) {
    uint64_t& pending = pending_.At(hash);
    pending -= transactional ? kTransactional : kBlind;
    if (pending == 0) {
      pending = kBlind;  // Erase wants to find it
      pending_.Erase(hash);
    }
  }
  for (const GuardUse& use : request->guards_) {
    if (use.exclusive) {
      use.guard->exclusive_in_flight_ = false;
    } else {
      --use.guard->shared_in_flight_;
    }
  }
  transactional_in_flight_ -= transactional;
  ranges_in_flight_ -= !request->ranges_.empty();
  --in_flight_count_;
  (request->previous_ == nullptr ? in_flight_ : request->previous_->next_) = request->next_;
  if (request->next_ != nullptr) request->next_->previous_ = request->previous_;
}

void CommitQueue::Record(const CommitRequest& request, const CommitOutcome& outcome) {
  const uint64_t sequence = outcome.last_sequence;
  for (const GuardUse& use : request.guards_) {
    if (use.exclusive) use.guard->version_.fetch_add(1, std::memory_order_acq_rel);
    if (request.moves_only_) continue;
    std::atomic<uint64_t>& last = use.guard->last_commit_sequence_;
    last.store(std::max(last.load(std::memory_order_relaxed), sequence), std::memory_order_release);
  }
  if (request.moves_only_) return;
  if (request.transaction_ != nullptr) Unlink(request.transaction_);  // it needs no judgement any more
  if (oldest_ == nullptr || oldest_->sequence_ >= sequence) return;   // nobody does
  for (uint64_t hash : request.hashes_) table_.Record(hash, sequence);
  for (const WriteRange& range : request.ranges_) table_.RecordRange(range, sequence);
  table_.EnforceBudget();
}

void CommitQueue::Register(WriteTransactionToken* token, const std::function<Snapshot()>& take_snapshot) {
  std::lock_guard lock(mutex_);
  token->snapshot_ = take_snapshot();
  token->sequence_ = token->snapshot_.sequence();
  token->live_ = true;
  token->previous_ = newest_;
  token->next_ = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->next_) = token;
  newest_ = token;
  ++live_count_;
}

void CommitQueue::Unregister(WriteTransactionToken* token) {
  std::lock_guard lock(mutex_);
  if (token->live_) Unlink(token);
}

void CommitQueue::Unlink(WriteTransactionToken* token) {
  token->live_ = false;
  --live_count_;
  const bool was_oldest = token == oldest_;
  (token->previous_ == nullptr ? oldest_ : token->previous_->next_) = token->next_;
  (token->next_ == nullptr ? newest_ : token->next_->previous_) = token->previous_;
  if (oldest_ == nullptr) {
    table_.Clear();
  } else if (was_oldest) {
    table_.DropUpTo(oldest_->sequence_);
  }
}

void CommitQueue::AddListener(CommitListener* listener) {
  std::lock_guard lock(mutex_);
  listeners_.push_back(listener);
  for (const CommitRequest* request = in_flight_; request != nullptr; request = request->next_) {
    listener->OnAnnounce(*request);
  }
}

void CommitQueue::RemoveListener(CommitListener* listener) {
  std::lock_guard lock(mutex_);
  std::erase(listeners_, listener);
}

CommitQueue::Figures CommitQueue::GetFigures() const {
  std::lock_guard lock(mutex_);
  return {in_flight_count_, live_count_, table_.size(), table_.memory_bytes(), waits_, conflicts_};
}

}  // namespace yarrow
