// StoreCommits: how the layers of Yarrow write to a Store, and read over writes that are not committed yet. None of it
// is for programs: a commit here passes every guard that tables have.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/commit_listener.h"
#include "store/write_set.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/store.h"

namespace yarrow {

// A live write transaction: from its snapshot on, the store remembers which keys are committed, until the token is
// destroyed or its commit succeeded. Move its writes into a WriteSet and commit that with the token, once (but see
// CommitOptions::keeps_transaction).
class WriteTransactionToken {
 public:
  ~WriteTransactionToken();
  WriteTransactionToken(const WriteTransactionToken&) = delete;
  WriteTransactionToken& operator=(const WriteTransactionToken&) = delete;

  const Snapshot& snapshot() const { return snapshot_; }

 private:
  friend class StoreCommits;
  friend class CommitQueue;
  WriteTransactionToken() = default;
  std::shared_ptr<const Store> store_;
  Snapshot snapshot_;
  // Under the mutex of the CommitQueue: neighbours in the list of live transactions, and whether it is in there.
  WriteTransactionToken* previous_ = nullptr;
  WriteTransactionToken* next_ = nullptr;
  uint64_t sequence_ = 0;
  bool live_ = false;
};

// What a commit asks for besides its writes. Everything pointed to must live until Commit returns.
struct CommitOptions {
  // The state the writes were planned on: the commit fails with IsConflict() when one of its keys was changed after it
  // (first committer wins). Null: a blind write, which no other write makes fail.
  WriteTransactionToken* transaction = nullptr;
  // The definitions the writes were planned with; IsConflict() when one has changed.
  std::span<const GuardUse> guards = {};
  // Syncs whatever the durability of the store; exclusive guards and ingests always do.
  bool sync = false;
  // Moves rows to another place and changes none: no transaction conflicts with it, neither by its keys and ranges nor
  // by the guards that it shares.
  bool moves_only = false;
  // The transaction goes on: further commits are judged by its snapshot, too.
  bool keeps_transaction = false;
  // The ranges that the writes delete are judged by guards, which the commit has to itself, and no transaction
  // conflicts with it by them.
  bool guards_judge_ranges = false;
  // Those of the write set; the store fills them in.
  const CommitMarks* marks = nullptr;
  // Called once the commit was admitted, so while its guards are held, and before it is written. With an error nothing
  // is written, and the commit returns it. Must not wait for another commit. Unset: nothing.
  std::function<arrow::Status()> when_admitted = {};
};

struct CommitResult {
  uint64_t first_sequence = 0;  // the RocksDB sequence numbers this commit took lie in [first, last];
  uint64_t last_sequence = 0;   // exact for a batch, bounds for an ingest
};

// Of one Store, which has it as commits(). Thread-safe.
class StoreCommits {
 public:
  explicit StoreCommits(Store* store) : store_(store) {}

  // Starts a write transaction: takes its snapshot and registers it in one step.
  std::unique_ptr<WriteTransactionToken> BeginWrite();

  // Writes all of `writes` or nothing, at the store's durability. The only way any byte gets into the store. A set
  // above options().ingest_threshold_bytes or 16,384 writes (and without ranges), and one with runs in files, commits
  // as one atomic ingest of SST files, always synced. After an IOError the store may refuse further writes until it is
  // closed and opened again.
  arrow::Result<CommitResult> Commit(const WriteSet& writes, const CommitOptions& options = {});
  // A commit whose writes are known only when nobody else changes `closed`: waits for the commits in flight there (and
  // on the guards), holds new ones back, lets `build` read the latest state and add its writes, and makes them durable.
  // All writes must lie in `closed`, else Invalid; then and when `build` fails nothing is written. `build` must not
  // commit.
  using BuildWrites = std::function<arrow::Status(WriteSet* writes)>;
  arrow::Result<CommitResult> CommitClosed(std::span<const WriteRange> closed, const BuildWrites& build,
                                           const CommitOptions& options = {});
  // IsConflict() when a commit of these writes with that token is certain to fail, as far as it can be told from the
  // writes made since the last Seal.
  arrow::Status CheckConflicts(const WriteSet& writes, const WriteTransactionToken& token) const;
  // Which of these keys were committed since the token's snapshot, so that a commit that writes them is a conflict: by
  // position. Now and then one that was not is among them (keys are known by their hashes). IsConflict() when it cannot
  // be told.
  arrow::Result<std::vector<size_t>> ChangedSince(Partition partition, std::span<const std::string_view> keys,
                                                  const WriteTransactionToken& token) const;
  // The same as Commit for one key, without building a WriteSet.
  arrow::Result<CommitResult> CommitPut(Partition partition, std::string_view key, std::string_view value,
                                        const CommitOptions& options = {});
  arrow::Result<CommitResult> CommitDelete(Partition partition, std::string_view key,
                                           const CommitOptions& options = {});

  // The listener sees every commit that resolves from now on; those in flight are announced to it before AddListener
  // returns. It must live until RemoveListener returned, after which it is not called any more.
  void AddListener(CommitListener* listener);
  void RemoveListener(CommitListener* listener);

  // Store::Scan with writes laid over the stored entries: puts replace, deletes hide.
  ScanCursor Scan(ScanSpec spec, WriteSet::View overlay) const;

 private:
  Store* const store_;
};

// The key that a conflict is about.
struct ConflictKey {
  uint32_t partition_id = 0;  // kNoPartition: of CommitMarks, `key` is empty
  std::string key;
};
// Null for a conflict that is about no single key, and for other errors. Lives as long as the status.
const ConflictKey* FindConflictKey(const arrow::Status& status);

// Makes such an error.
arrow::Status ConflictError(std::string message, std::optional<ConflictKey> key = {});

}  // namespace yarrow
