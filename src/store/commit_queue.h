// CommitQueue: who may commit what, and when. The bookkeeping around a write; it knows nothing of RocksDB.
//
// A commit goes through in three steps:
//
//   Admit     under the mutex: waits until no commit in flight stands in the way, judges, announces its keys
//   (write)   outside the mutex, so that concurrent commits share one sync
//   Resolve   under the mutex: records the outcome, wakes the waiting
//
// What happens under the mutex does not grow with the rows of a commit. A large commit comes as a summary of its keys:
// others ask that for theirs, and the large one is judged outside the mutex by what was recorded since it last looked,
// until so little is left that the rest can be judged inside.
//
// Whoever waits holds nothing: a commit announces all its keys, ranges and guards at once or none. Commits that close
// something (a range, an exclusive guard) also hold back those that come after them, so that they get their turn; they
// wait only for commits in flight and for closing ones that came earlier. So nobody waits in a circle.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/commit_table.h"
#include "store/hash_map64.h"
#include "store/key_summary.h"
#include "store/store_commits.h"
#include "yarrow/store.h"

namespace yarrow {

// One commit on its way through the queue. Lives on the committing thread's stack; its keys must stay put from Admit to
// Resolve. Its view tells listeners of a small commit's ops one by one, of a large one's as ranges: the hulls.
class CommitRequest : public CommitView {
 public:
  // `ranges` are deleted or closed; the commit wants them to itself, unless it has their guards so.
  CommitRequest(std::span<const WriteOp> ops, std::span<const uint64_t> hashes, std::span<const WriteRange> ranges,
                const CommitOptions& options)
      : hashes_(hashes),
        exclusive_ranges_(options.guards_judge_ranges ? std::span<const WriteRange>() : ranges),
        transaction_(options.transaction),
        guards_(options.guards),
        marks_(options.marks != nullptr ? *options.marks : kNoMarks),
        moves_only_(options.moves_only),
        keeps_transaction_(options.keeps_transaction) {
    ops_ = ops;
    ranges_ = ranges;
    for (const GuardUse& use : guards_) exclusive_ |= use.exclusive;
  }
  CommitRequest(KeySummary summary, std::span<const WriteRange> ranges, const CommitOptions& options)
      : CommitRequest({}, {}, ranges, options) {
    is_large_ = true;
    summary_ = std::move(summary);
    all_ranges_.assign(ranges.begin(), ranges.end());
    all_ranges_.insert(all_ranges_.end(), summary_.hulls.begin(), summary_.hulls.end());
    ranges_ = all_ranges_;
  }
  CommitRequest(const CommitRequest&) = delete;
  CommitRequest& operator=(const CommitRequest&) = delete;

  bool exclusive() const { return exclusive_; }
  std::span<const uint64_t> hashes() const { return hashes_; }

  // Of a large commit that Admit refused because of one key.
  const std::optional<CommitRun::Point>& lost_key() const { return lost_key_; }

 private:
  friend class CommitQueue;
  inline static const CommitMarks kNoMarks;
  bool is_large() const { return is_large_; }
  bool is_transactional() const { return transaction_ != nullptr; }
  // Holds back the commits that come after it.
  bool closes() const { return exclusive_ || !exclusive_ranges_.empty(); }
  bool Has(uint64_t hash) const;
  bool HasAnyOf(std::span<const uint64_t> hashes) const;
  bool WritesInto(std::span<const WriteRange> ranges) const;

  std::span<const uint64_t> hashes_;  // of ops_
  std::span<const WriteRange> exclusive_ranges_;
  bool is_large_ = false;
  KeySummary summary_;  // of a large commit, which has no ops_
  std::vector<WriteRange> all_ranges_;
  WriteTransactionToken* transaction_;
  std::span<const GuardUse> guards_;
  const CommitMarks& marks_;
  bool exclusive_ = false;
  bool moves_only_ = false;
  bool keeps_transaction_ = false;
  std::optional<CommitRun::Point> lost_key_;
  CommitRequest* previous_ = nullptr;  // in in_flight_
  CommitRequest* next_ = nullptr;
};

class CommitQueue;

// A commit that was let in. Resolves it, as one that failed, if nobody else has when it goes.
class Admission {
 public:
  Admission(CommitQueue* queue, CommitRequest* request) : queue_(queue), request_(request) {}
  Admission(Admission&& other) noexcept : queue_(other.queue_), request_(std::exchange(other.request_, nullptr)) {}
  Admission& operator=(Admission&&) = delete;
  ~Admission() {
    if (request_ != nullptr) Resolve({});
  }
  // Once.
  void Resolve(const CommitOutcome& outcome) noexcept;

 private:
  CommitQueue* queue_;
  CommitRequest* request_;
};

// Thread-safe. A call that throws std::bad_alloc has changed nothing.
class CommitQueue {
 public:
  // Turns a partition id into its name, for messages. Called under the mutex.
  using PartitionNamer = std::function<std::string(uint32_t)>;

  // What the commits that live transactions are judged by take of memory above `table_budget_bytes` goes to a file in
  // `spill_folder`.
  CommitQueue(uint64_t table_budget_bytes, std::filesystem::path spill_folder, PartitionNamer partition_name);

  // The request is announced until it is resolved. An error, IsConflict() or Invalid: nothing happened.
  arrow::Result<Admission> Admit(CommitRequest* request);

  // IsConflict() when one of the keys was committed after the token's snapshot, as Admit would find.
  arrow::Status CheckPoints(std::span<const WriteOp> ops, std::span<const uint64_t> hashes,
                            const WriteTransactionToken& token) const;

  // See StoreCommits.
  arrow::Result<std::vector<size_t>> ChangedSince(uint32_t partition_id, std::span<const std::string_view> keys,
                                                  const WriteTransactionToken& token) const;

  // `take_snapshot` runs under the mutex: commits that resolve later are judged against the token.
  void Register(WriteTransactionToken* token, const std::function<Snapshot()>& take_snapshot);
  void Unregister(WriteTransactionToken* token);

  void AddListener(CommitListener* listener);
  void RemoveListener(CommitListener* listener);

  struct Figures {
    uint64_t in_flight = 0;
    uint64_t live_transactions = 0;
    uint64_t table_entries = 0;
    uint64_t table_bytes = 0;
    uint64_t waits = 0;
    uint64_t conflicts = 0;
  };
  Figures GetFigures() const;

 private:
  friend class Admission;
  class Queued;
  void Resolve(CommitRequest* request, const CommitOutcome& outcome) noexcept;

  // How many commits in flight write a key: blind ones in the low half, transactional ones in the high half.
  static constexpr uint64_t kBlind = 1;
  static constexpr uint64_t kTransactional = uint64_t{1} << 32;

  // Judged without letting others in between.
  static constexpr size_t kKeysALock = 1024;
  // What is left to be judged under the mutex.
  static constexpr size_t kFewPoints = 1024;

  // What a large transaction is judged by besides Validate. Needs no mutex.
  static arrow::Status JudgeRecorded(CommitRequest* request, const CommitTable::Recorded& recorded);

  // All under mutex_.
  arrow::Status CheckToken(const WriteTransactionToken& token) const;
  arrow::Status Validate(const CommitRequest& request) const;
  arrow::Status ValidateTransaction(const CommitRequest& request) const;
  arrow::Status JudgeRanges(const CommitRequest& request) const;
  arrow::Status JudgeMarks(const CommitRequest& request) const;
  arrow::Status JudgeHulls(const CommitRequest& request) const;
  arrow::Status JudgePoints(std::span<const WriteOp> ops, std::span<const uint64_t> hashes, uint64_t snapshot) const;
  static bool RangesClash(const CommitRequest& a, const CommitRequest& b);
  bool MustWait(const CommitRequest& request) const;
  bool PointsInTheWay(const CommitRequest& request) const;
  bool MarksInTheWay(const CommitRequest& request) const;
  bool LargeInTheWay(const CommitRequest& request) const;
  bool RangesInTheWay(const CommitRequest& request) const;
  bool GuardsInTheWay(const CommitRequest& request) const;
  void Announce(CommitRequest* request);
  void Withdraw(CommitRequest* request);
  void Record(const CommitRequest& request, const CommitOutcome& outcome) noexcept;
  void RecordKeys(const CommitRequest& request, uint64_t sequence);
  void Unlink(WriteTransactionToken* token);

  // Without the mutex. What cannot be written stays in memory.
  void SpillTable() noexcept;
  std::shared_ptr<const CommitRun> Spill(const CommitRun& run, std::shared_ptr<SpillFile>* file) const noexcept;

  const std::filesystem::path spill_folder_;
  const PartitionNamer partition_name_;
  mutable std::mutex mutex_;
  std::condition_variable resolved_;
  uint32_t waiting_ = 0;
  HashMap64 pending_;                   // hash of a key in flight -> how often
  CommitRequest* in_flight_ = nullptr;  // all announced requests
  uint64_t in_flight_count_ = 0;
  uint64_t transactional_in_flight_ = 0;
  uint64_t ranges_in_flight_ = 0;  // requests that have ranges to themselves
  uint64_t large_in_flight_ = 0;
  std::vector<CommitRequest*> closing_;  // waiting requests that close something, in the order they came
  CommitTable table_;
  bool is_spilling_ = false;
  std::shared_ptr<SpillFile> spill_file_;    // while something may be in there
  WriteTransactionToken* oldest_ = nullptr;  // live transactions, by age
  WriteTransactionToken* newest_ = nullptr;
  uint64_t live_count_ = 0;
  std::vector<CommitListener*> listeners_;
  uint64_t waits_ = 0;
  uint64_t conflicts_ = 0;
};

}  // namespace yarrow
