// What code above the store sees of commits: listeners that every committed write passes, and guards that let a commit
// insist on the definition it was planned with.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>

#include "store/write_set.h"

namespace yarrow {

// The keys one commit writes: single ones, and ranges that it deletes or has closed. A large commit names no single
// keys but some hundred ranges at most, which hold its keys and may hold others. Views; valid from OnAnnounce to the
// return of OnResolve, and the same object in both.
class CommitView {
 public:
  std::span<const WriteOp> ops() const { return ops_; }
  std::span<const WriteRange> ranges() const { return ranges_; }

 protected:
  CommitView() = default;
  ~CommitView() = default;
  std::span<const WriteOp> ops_;
  std::span<const WriteRange> ranges_;
};

struct CommitOutcome {
  bool committed = false;       // false: the write failed and nothing of it is visible
  uint64_t first_sequence = 0;  // the commit's RocksDB sequence numbers lie in [first, last]
  uint64_t last_sequence = 0;
};

// Sees every commit of a store twice: announced before any reader can see it, resolved after. So whoever takes a
// snapshot S and then looks at what is announced, or resolved with a sequence in (B, S], knows a superset of the keys
// changed between B and S.
//
// Called one at a time, under the store's commit mutex: be short, call nothing of the Store, throw nothing.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  virtual void OnAnnounce(const CommitView& commit) noexcept = 0;
  virtual void OnResolve(const CommitView& commit, const CommitOutcome& outcome) noexcept = 0;
};

// Stands for the definition of one table, owned by the layer above, which must keep it alive while commits use it.
// Writes name the version they were planned with and are refused when it has changed; a change of the definition waits
// for the writes in flight. Thread-safe.
class CommitGuard {
 public:
  // `name` is for messages: "definition of table app.users".
  explicit CommitGuard(std::string name, uint64_t version = 0) : name_(std::move(name)), version_(version) {}
  CommitGuard(const CommitGuard&) = delete;
  CommitGuard& operator=(const CommitGuard&) = delete;

  const std::string& name() const { return name_; }
  uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Sequence of the last commit that used this guard and succeeded since the guard was made.
  uint64_t last_commit_sequence() const { return last_commit_sequence_.load(std::memory_order_acquire); }

 private:
  friend class CommitQueue;
  const std::string name_;
  std::atomic<uint64_t> version_;
  std::atomic<uint64_t> last_commit_sequence_{0};
  uint32_t shared_in_flight_ = 0;  // both under the mutex of the CommitQueue
  bool exclusive_in_flight_ = false;
};

// One guard as a commit uses it.
struct GuardUse {
  CommitGuard* guard = nullptr;
  uint64_t version = 0;    // the commit fails with a conflict when the guard's version is another one
  bool exclusive = false;  // changes the definition: waits for commits in flight, holds new ones back, and raises the
                           // version by one if it succeeds
};

}  // namespace yarrow
