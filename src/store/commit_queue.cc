#include "store/commit_queue.h"

#include <algorithm>
#include <exception>
#include <new>

#include "store/write_run.h"
#include "yarrow/codec.h"

namespace yarrow {

namespace {

bool AnyOverlap(std::span<const WriteRange> a, std::span<const WriteRange> b) {
  return std::ranges::any_of(a, [&](const WriteRange& x) {
    return std::ranges::any_of(b, [&](const WriteRange& y) { return Overlap(x, y); });
  });
}

bool GuardsClash(std::span<const GuardUse> a, std::span<const GuardUse> b) {
  for (const GuardUse& x : a) {
    for (const GuardUse& y : b) {
      if (x.guard == y.guard && (x.exclusive || y.exclusive)) return true;
    }
  }
  return false;
}

arrow::Status LostKey(uint64_t sequence, uint64_t snapshot) {
  return ConflictError("write conflict: another transaction committed one of the keys at sequence " +
                       std::to_string(sequence) + ", after this one began at " + std::to_string(snapshot));
}

// Takes the mutex again, whatever happens.
class Relock {
 public:
  explicit Relock(std::unique_lock<std::mutex>* lock) : lock_(lock) {}
  Relock(const Relock&) = delete;
  Relock& operator=(const Relock&) = delete;
  ~Relock() { lock_->lock(); }

 private:
  std::unique_lock<std::mutex>* const lock_;
};

}  // namespace

bool CommitRequest::Has(uint64_t hash) const {
  return std::ranges::any_of(summary_.hashes, [hash](const auto& keys) { return keys->Contains(hash); });
}

bool CommitRequest::HasAnyOf(std::span<const uint64_t> hashes) const {
  return std::ranges::any_of(hashes, [this](uint64_t hash) { return Has(hash); });
}

bool CommitRequest::WritesInto(std::span<const WriteRange> ranges) const {
  if (is_large()) return AnyOverlap(summary_.hulls, ranges);
  return std::ranges::any_of(ranges, [this](const WriteRange& range) {
    return std::ranges::any_of(ops_, [&](const WriteOp& op) {
      return op.partition_id == range.partition_id && range.lower <= op.key() && op.key() < range.upper;
    });
  });
}

bool CommitQueue::RangesClash(const CommitRequest& a, const CommitRequest& b) {
  return a.WritesInto(b.exclusive_ranges_) || b.WritesInto(a.exclusive_ranges_) ||
         AnyOverlap(a.exclusive_ranges_, b.exclusive_ranges_);
}

CommitQueue::CommitQueue(uint64_t table_budget_bytes, std::filesystem::path spill_folder, PartitionNamer partition_name)
    : spill_folder_(std::move(spill_folder)), partition_name_(std::move(partition_name)), table_(table_budget_bytes) {}

void Admission::Resolve(const CommitOutcome& outcome) noexcept {
  queue_->Resolve(std::exchange(request_, nullptr), outcome);
}

// A waiting request's place among those that hold others back, if it has one. Under the mutex.
class CommitQueue::Queued {
 public:
  Queued(CommitQueue* queue, CommitRequest* request) : queue_(queue), request_(request) {}
  Queued(const Queued&) = delete;
  Queued& operator=(const Queued&) = delete;
  ~Queued() {
    if (!is_queued_) return;
    std::erase(queue_->closing_, request_);
    if (queue_->waiting_ > 0) queue_->resolved_.notify_all();  // it held others back
  }
  void Enter() {
    if (is_queued_ || !request_->closes()) return;
    queue_->closing_.push_back(request_);
    is_queued_ = true;
  }

 private:
  CommitQueue* const queue_;
  CommitRequest* const request_;
  bool is_queued_ = false;
};

arrow::Result<Admission> CommitQueue::Admit(CommitRequest* request) {
  std::unique_lock lock(mutex_);
  CommitTable::Position judged;
  Queued queued(this, request);
  for (;;) {
    // Judged before each wait as well: a transaction that has lost already does not wait to hear it.
    arrow::Status status = Validate(*request);
    if (status.ok() && request->is_large() && request->is_transactional()) {
      const CommitTable::Recorded recorded = table_.Since(&judged, request->transaction_->sequence_);
      const bool much = !recorded.runs.empty() || recorded.points.size() > kFewPoints;
      if (much) {
        lock.unlock();
        const Relock relock(&lock);
        status = JudgeRecorded(request, recorded);
      } else {
        status = JudgeRecorded(request, recorded);
      }
      if (much && status.ok()) continue;
    }
    if (!status.ok()) {
      if (IsConflict(status)) ++conflicts_;
      return status;
    }
    if (!MustWait(*request)) {
      Announce(request);
      return Admission(this, request);
    }
    queued.Enter();
    ++waits_;
    ++waiting_;
    resolved_.wait(lock);
    --waiting_;
  }
}

void CommitQueue::Resolve(CommitRequest* request, const CommitOutcome& outcome) noexcept {
  bool spill = false;
  CommitTable::Runs forgotten;
  {
    std::lock_guard lock(mutex_);
    Withdraw(request);
    if (outcome.committed) Record(*request, outcome);
    for (CommitListener* listener : listeners_) listener->OnResolve(*request, outcome);
    if (waiting_ > 0) resolved_.notify_all();
    spill = !is_spilling_ && table_.FindRunToSpill() != nullptr;
    is_spilling_ |= spill;
    forgotten = table_.TakeForgotten();
  }
  if (spill) SpillTable();
}

void CommitQueue::SpillTable() noexcept {
  std::unique_lock lock(mutex_);
  while (const std::shared_ptr<const CommitRun> run = table_.FindRunToSpill()) {
    std::shared_ptr<SpillFile> file = spill_file_;
    lock.unlock();
    auto spilled = Spill(*run, &file);
    lock.lock();
    if (spilled != nullptr) {
      spill_file_ = std::move(file);
      table_.Replace(run.get(), std::move(spilled));
    } else {
      table_.KeepInMemory();
    }
  }
  is_spilling_ = false;
}

std::shared_ptr<const CommitRun> CommitQueue::Spill(const CommitRun& run,
                                                    std::shared_ptr<SpillFile>* file) const noexcept {
  try {
    if (*file == nullptr) *file = SpillFile::Create(spill_folder_).ValueOr(nullptr);
    return *file == nullptr ? nullptr : run.Spill(*file).ValueOr(nullptr);
  } catch (const std::exception&) {
    return nullptr;
  }
}

arrow::Status CommitQueue::JudgeRecorded(CommitRequest* request, const CommitTable::Recorded& recorded) {
  const uint64_t snapshot = request->transaction_->sequence_;
  for (const auto& run : recorded.runs) {
    for (const auto& keys : request->summary_.hashes) {
      ARROW_ASSIGN_OR_RAISE(request->lost_key_, run->FindCommon(*keys, snapshot));
      if (request->lost_key_) return LostKey(request->lost_key_->sequence, snapshot);
    }
  }
  for (const CommitRun::Point& point : recorded.points) {
    if (!request->Has(point.hash)) continue;
    request->lost_key_ = point;
    return LostKey(point.sequence, snapshot);
  }
  return arrow::Status::OK();
}

// All but what JudgeRecorded says.
arrow::Status CommitQueue::Validate(const CommitRequest& request) const {
  for (const GuardUse& use : request.guards_) {
    if (use.guard->version() != use.version) {
      return ConflictError(use.guard->name() + " changed since this write was planned (version " +
                           std::to_string(use.guard->version()) + " now, " + std::to_string(use.version) + " then)");
    }
  }
  if (request.is_transactional()) return ValidateTransaction(request);
  return request.marks_.avoided.empty()
             ? arrow::Status::OK()
             : arrow::Status::Invalid("marks that a commit avoids need a transaction to be judged by");
}

arrow::Status CommitQueue::CheckToken(const WriteTransactionToken& token) const {
  if (!token.live_) return arrow::Status::Invalid("this write transaction has committed already; begin a new one");
  if (token.sequence_ >= table_.lost()) return arrow::Status::OK();
  return ConflictError(
      "memory ran out while commits of others were noted: the transaction, which began before, cannot be judged; run "
      "it again");
}

arrow::Status CommitQueue::ValidateTransaction(const CommitRequest& request) const {
  const WriteTransactionToken& token = *request.transaction_;
  ARROW_RETURN_NOT_OK(CheckToken(token));
  const uint64_t snapshot = token.sequence_;
  if (!request.exclusive_ranges_.empty()) ARROW_RETURN_NOT_OK(JudgeRanges(request));
  ARROW_RETURN_NOT_OK(JudgeMarks(request));
  return request.is_large() ? JudgeHulls(request) : JudgePoints(request.ops_, request.hashes_, snapshot);
}

arrow::Status CommitQueue::JudgeRanges(const CommitRequest& request) const {
  // The table knows hashes of keys, which say nothing about ranges; the guards know the last commit of their tables.
  const uint64_t snapshot = request.transaction_->sequence_;
  if (request.guards_.empty()) {
    return arrow::Status::Invalid("range deletes in a transaction need a guard to be judged by");
  }
  for (const GuardUse& use : request.guards_) {
    if (use.guard->last_commit_sequence() > snapshot) {
      return ConflictError("write conflict: the rows under the " + use.guard->name() + " were changed at sequence " +
                           std::to_string(use.guard->last_commit_sequence()) + ", after this transaction began at " +
                           std::to_string(snapshot) + "; a deletion of whole ranges needs them to itself");
    }
  }
  return arrow::Status::OK();
}

// A key that the hull has and the commit does not may make a conflict out of none here. Ranges are deleted with tables.
arrow::Status CommitQueue::JudgeHulls(const CommitRequest& request) const {
  const uint64_t snapshot = request.transaction_->sequence_;
  for (const WriteRange& hull : request.summary_.hulls) {
    const uint64_t last = table_.LastCommitOfRange(hull, snapshot);
    if (last > snapshot) return LostKey(last, snapshot);
  }
  return arrow::Status::OK();
}

arrow::Status CommitQueue::JudgeMarks(const CommitRequest& request) const {
  const uint64_t snapshot = request.transaction_->sequence_;
  if (table_.newest() <= snapshot) return arrow::Status::OK();
  for (const uint64_t mark : request.marks_.avoided) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t last, table_.LastCommit(mark, kNoPartition, {}, snapshot));
    if (last == 0) continue;
    return ConflictError("write conflict: another transaction committed at sequence " + std::to_string(last) +
                             " what this one, which began at " + std::to_string(snapshot) + ", must not meet",
                         ConflictKey{kNoPartition, {}});
  }
  return arrow::Status::OK();
}

arrow::Status CommitQueue::JudgePoints(std::span<const WriteOp> ops, std::span<const uint64_t> hashes,
                                       uint64_t snapshot) const {
  if (table_.newest() <= snapshot) return arrow::Status::OK();
  for (size_t i = 0; i < ops.size(); ++i) {
    const WriteOp& op = ops[i];
    ARROW_ASSIGN_OR_RAISE(const uint64_t last, table_.LastCommit(hashes[i], op.partition_id, op.key(), snapshot));
    if (last == 0) continue;
    return ConflictError("write conflict on key " + FormatKey(op.key()) + " of partition '" +
                             partition_name_(op.partition_id) + "': another transaction committed it at sequence " +
                             std::to_string(last) + ", after this one began at " + std::to_string(snapshot),
                         ConflictKey{op.partition_id, std::string(op.key())});
  }
  return arrow::Status::OK();
}

arrow::Status CommitQueue::CheckPoints(std::span<const WriteOp> ops, std::span<const uint64_t> hashes,
                                       const WriteTransactionToken& token) const {
  for (size_t begin = 0; begin < ops.size(); begin += kKeysALock) {
    const size_t count = std::min(kKeysALock, ops.size() - begin);
    std::lock_guard lock(mutex_);
    if (!token.live_) return arrow::Status::OK();  // whose commit will say so
    ARROW_RETURN_NOT_OK(JudgePoints(ops.subspan(begin, count), hashes.subspan(begin, count), token.sequence_));
  }
  return arrow::Status::OK();
}

arrow::Result<std::vector<size_t>> CommitQueue::ChangedSince(uint32_t partition_id,
                                                             std::span<const std::string_view> keys,
                                                             const WriteTransactionToken& token) const {
  std::vector<uint64_t> hashes;
  hashes.reserve(keys.size());
  for (const std::string_view key : keys) hashes.push_back(HashKey(partition_id, key));
  std::vector<size_t> changed;
  for (size_t begin = 0; begin < keys.size(); begin += kKeysALock) {
    std::lock_guard lock(mutex_);
    ARROW_RETURN_NOT_OK(CheckToken(token));
    if (table_.newest() <= token.sequence_) continue;
    for (size_t i = begin; i < std::min(begin + kKeysALock, keys.size()); ++i) {
      ARROW_ASSIGN_OR_RAISE(const uint64_t last, table_.LastCommit(hashes[i], partition_id, keys[i], token.sequence_));
      if (last != 0) changed.push_back(i);
    }
  }
  return changed;
}

bool CommitQueue::MustWait(const CommitRequest& request) const {
  if (GuardsInTheWay(request)) return true;
  if (in_flight_ != nullptr && (PointsInTheWay(request) || RangesInTheWay(request) || MarksInTheWay(request)))
    return true;
  for (const CommitRequest* earlier : closing_) {
    if (earlier == &request) break;
    if (RangesClash(request, *earlier) || GuardsClash(request.guards_, earlier->guards_)) return true;
  }
  return false;
}

// Whoever leaves a mark may be met in flight by those who leave it, too.
bool CommitQueue::MarksInTheWay(const CommitRequest& request) const {
  return std::ranges::any_of(request.marks_.avoided, [&](uint64_t mark) { return pending_.Find(mark) != 0; });
}

bool CommitQueue::PointsInTheWay(const CommitRequest& request) const {
  // Blind writes of one key need no order among themselves. A transaction must know the outcome of every other write of
  // its keys to be judged, and a blind write must not slip in between its judgement and its write.
  const bool transactional = request.is_transactional();
  if (!transactional && transactional_in_flight_ == 0) return false;
  if ((request.is_large() || large_in_flight_ > 0) && LargeInTheWay(request)) return true;
  for (uint64_t hash : request.hashes_) {
    const uint64_t pending = pending_.Find(hash);
    if (pending != 0 && (transactional || pending >= kTransactional)) return true;
  }
  return false;
}

// Between two large ones it suffices that their keys may be the same: the second waits, and is then judged.
bool CommitQueue::LargeInTheWay(const CommitRequest& request) const {
  for (const CommitRequest* other = in_flight_; other != nullptr; other = other->next_) {
    if (!request.is_transactional() && !other->is_transactional()) continue;
    if (request.is_large() && other->is_large()) {
      if (AnyOverlap(request.summary_.hulls, other->summary_.hulls)) return true;
    } else if (request.is_large()) {
      if (request.HasAnyOf(other->hashes_)) return true;
    } else if (other->is_large()) {
      if (other->HasAnyOf(request.hashes_)) return true;
    }
  }
  return false;
}

bool CommitQueue::RangesInTheWay(const CommitRequest& request) const {
  if (ranges_in_flight_ == 0 && request.exclusive_ranges_.empty()) return false;
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
  const bool transactional = request->is_transactional();
  pending_.Reserve(request->hashes_.size() + request->marks_.left.size());
  for (uint64_t hash : request->hashes_) pending_.At(hash) += transactional ? kTransactional : kBlind;
  for (uint64_t mark : request->marks_.left) pending_.At(mark) += kBlind;
  for (const GuardUse& use : request->guards_) {
    if (use.exclusive) {
      use.guard->exclusive_in_flight_ = true;
    } else {
      ++use.guard->shared_in_flight_;
    }
  }
  transactional_in_flight_ += transactional;
  ranges_in_flight_ += !request->exclusive_ranges_.empty();
  large_in_flight_ += request->is_large();
  ++in_flight_count_;
  request->previous_ = nullptr;
  request->next_ = in_flight_;
  if (in_flight_ != nullptr) in_flight_->previous_ = request;
  in_flight_ = request;
  for (CommitListener* listener : listeners_) listener->OnAnnounce(*request);
}

void CommitQueue::Withdraw(CommitRequest* request) {
  const bool transactional = request->is_transactional();
  const auto withdraw = [&](uint64_t hash, uint64_t announced) {
    uint64_t& pending = pending_.At(hash);
    pending -= announced;
    if (pending == 0) {
      pending = kBlind;  // Erase wants to find it
      pending_.Erase(hash);
    }
  };
  for (uint64_t hash : request->hashes_) withdraw(hash, transactional ? kTransactional : kBlind);
  for (uint64_t mark : request->marks_.left) withdraw(mark, kBlind);
  for (const GuardUse& use : request->guards_) {
    if (use.exclusive) {
      use.guard->exclusive_in_flight_ = false;
    } else {
      --use.guard->shared_in_flight_;
    }
  }
  transactional_in_flight_ -= transactional;
  ranges_in_flight_ -= !request->exclusive_ranges_.empty();
  large_in_flight_ -= request->is_large();
  --in_flight_count_;
  (request->previous_ == nullptr ? in_flight_ : request->previous_->next_) = request->next_;
  if (request->next_ != nullptr) request->next_->previous_ = request->previous_;
}

void CommitQueue::Record(const CommitRequest& request, const CommitOutcome& outcome) noexcept {
  const uint64_t sequence = outcome.last_sequence;
  for (const GuardUse& use : request.guards_) {
    if (use.exclusive) use.guard->version_.fetch_add(1, std::memory_order_acq_rel);
    if (request.moves_only_) continue;
    std::atomic<uint64_t>& last = use.guard->last_commit_sequence_;
    last.store(std::max(last.load(std::memory_order_relaxed), sequence), std::memory_order_release);
  }
  if (request.moves_only_) return;
  if (request.is_transactional() && !request.keeps_transaction_) Unlink(request.transaction_);
  if (oldest_ == nullptr || oldest_->sequence_ >= sequence) return;  // nobody does
  try {
    RecordKeys(request, sequence);
  } catch (const std::bad_alloc&) {
    table_.Lose(sequence);
  }
}

void CommitQueue::RecordKeys(const CommitRequest& request, uint64_t sequence) {
  for (const auto& keys : request.summary_.hashes) table_.Record(keys, sequence);
  if (!request.is_large()) table_.Record(request.hashes_, sequence);
  if (!request.marks_.left.empty()) table_.Record(request.marks_.left, sequence);
  for (const WriteRange& range : request.exclusive_ranges_) table_.RecordRange(range, sequence);
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
  CommitTable::Runs forgotten;  // freed without the mutex
  std::lock_guard lock(mutex_);
  if (token->live_) Unlink(token);
  forgotten = table_.TakeForgotten();
}

void CommitQueue::Unlink(WriteTransactionToken* token) {
  token->live_ = false;
  --live_count_;
  const bool was_oldest = token == oldest_;
  (token->previous_ == nullptr ? oldest_ : token->previous_->next_) = token->next_;
  (token->next_ == nullptr ? newest_ : token->next_->previous_) = token->previous_;
  if (oldest_ == nullptr) {
    table_.Clear();
    spill_file_.reset();  // the runs in there keep it for as long as they need it
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
