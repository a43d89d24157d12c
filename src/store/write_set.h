// WriteSet: writes that are to be committed together, as bytes.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "yarrow/partition.h"

namespace yarrow {

class WriteRun;
class OpenRun;
class FileRun;
class ExternalRun;

// One point write. The bytes belong to whoever handed out the op.
struct WriteOp {
  enum class Kind : uint8_t {
    kPut,
    kDelete,
    kAbsent,  // the store has no entry of the key: nothing is written, but others are judged by it as by a deletion
  };
  const char* key_data = nullptr;
  const char* value_data = nullptr;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t partition_id = 0;
  Kind kind = Kind::kPut;

  std::string_view key() const { return {key_data, key_size}; }
  std::string_view value() const { return {value_data, value_size}; }
};

// What a commit says, and asks, about things that it does not write: marks, hashes of names that both sides know. It
// fails with a conflict when another commit, since the snapshot, has left a mark that it avoids. Commits of two kinds,
// each of which leaves what the other avoids, conflict with the other kind and not with their own.
inline constexpr uint32_t kNoPartition = 0xffffffff;  // in the place of a partition's id, of marks
struct CommitMarks {
  std::vector<uint64_t> left, avoided;
  bool empty() const { return left.empty() && avoided.empty(); }
};

// A range of keys, [lower, upper).
struct WriteRange {
  uint32_t partition_id = 0;
  std::string lower;
  std::string upper;
};

// Collects the writes of one transaction or batch: an open run that is appended to, below it the runs of the statements
// before, sealed, sorted and immutable. The last write of a key wins. A statement with more rows than memory should
// hold brings them as a run in files. Rows that are not for the store at all, but are committed with the set, come as
// an ExternalRun: readers of the set do not see them.
//
// A statement reads through a View taken before it started, so it never meets its own writes. Not thread-safe, but
// Views may be read from any number of threads while the owner appends and seals further.
class WriteSet {
 public:
  enum class Found : uint8_t { kNothing, kPut, kDelete };

  // One sealed run: in memory, in files or external.
  struct Run {
    std::shared_ptr<const WriteRun> memory = nullptr;
    std::shared_ptr<const FileRun> file = nullptr;
    std::shared_ptr<const ExternalRun> external = nullptr;
  };

  // The sealed runs of a moment. Cheap to copy; keeps their bytes alive.
  class View {
   public:
    View() = default;
    bool empty() const { return runs_ == nullptr; }
    // The runs in memory alone; ids of the partitions that they write to; whether they write a key of [first, last].
    View InMemory() const;
    std::set<uint32_t> MemoryPartitions() const;
    bool HasAny(uint32_t partition_id, std::string_view first, std::string_view last) const;
    std::vector<std::shared_ptr<const ExternalRun>> ExternalRuns() const;

   private:
    friend class WriteSet;
    friend class OverlayCursor;
    std::shared_ptr<const std::vector<Run>> runs_;  // oldest first; null: none
  };

  // A state to come back to.
  class Savepoint {
   private:
    friend class WriteSet;
    View view_;
    size_t range_count_ = 0;
    size_t new_runs_ = 0;
    arrow::Status status_;
  };

  WriteSet();
  WriteSet(WriteSet&&) noexcept;
  WriteSet& operator=(WriteSet&&) noexcept;
  ~WriteSet();

  // Keys and values are copied; each must be under 4 GB (Commit refuses the set otherwise).
  void Put(Partition partition, std::string_view key, std::string_view value);
  void Delete(Partition partition, std::string_view key);
  // For a key that has no entry in the store, nor in this set: readers of the set see it deleted, transactions are
  // judged by it, and it leaves no deletion behind. The set must write something else as well.
  void DeleteAbsent(Partition partition, std::string_view key);

  // Deletes every key in [lower, upper); upper must not be empty. All ranges of a set apply before all its puts and
  // deletes, in whatever order they were added. Not allowed in a set that commits with a transaction token, whose
  // conflicts could not be judged; Views and Get know nothing of ranges.
  void DeleteRange(Partition partition, std::string_view lower, std::string_view upper);

  // Ends a statement: the open run becomes readable through the next View. Costs O(log n) a write over a transaction,
  // because runs are merged by size; their number stays O(log n).
  void Seal();
  View GetView() const;

  // Adds a finished run in files as the newest one, over everything written so far. A set with such runs commits as one
  // ingest.
  void AddRun(std::shared_ptr<const FileRun> run);
  void AddRun(std::shared_ptr<const ExternalRun> run);
  size_t external_runs() const { return external_runs_; }  // their number

  // Of the CommitMarks of these names. They stay when writes are rolled back.
  void LeaveMark(std::string_view name);
  void AvoidMark(std::string_view name);
  const CommitMarks& marks() const { return marks_; }

  // Seals, and gives the runs that were added since the last call, oldest first, as they came: all, at the first one.
  std::vector<Run> TakeNewRuns();

  // What the set says about `key`, the open run included (for uniqueness within one statement). `value` lives until
  // the next call of this object. An error when a run's file cannot be read.
  arrow::Result<Found> Get(Partition partition, std::string_view key, std::string_view* value);

  // Seals, and remembers the state. RollbackTo forgets every write since; savepoints taken since become invalid.
  Savepoint MakeSavepoint();
  void RollbackTo(const Savepoint& savepoint);

  void Clear();
  bool empty() const { return op_count() == 0 && ranges_.empty() && external_runs_ == 0; }
  size_t op_count() const;     // puts and deletes; a key written twice may count twice; without external runs
  uint64_t byte_size() const;  // of their keys and values, in files as they are stored there
  // Invalid when some write was too large to be taken, or to a partition of another store than those before.
  const arrow::Status& status() const { return status_; }

 private:
  friend struct StoreImpl;
  OpenRun& open_run();
  // False for a partition that the set cannot write to.
  bool Accepts(Partition partition);
  void Append(Partition partition, WriteOp::Kind kind, std::string_view key, std::string_view value);
  // The writes in memory, in an order fit for a batch: in place when there is only the open run, else sorted and
  // without duplicates in `*storage`. `sorted` asks for the latter always.
  std::span<const WriteOp> Collect(bool sorted, std::vector<WriteOp>* storage) const;
  // All runs, the open one included. Lives no longer than this set, unchanged.
  View Everything() const;
  void CountRuns();
  void AddSealed(Run run);

  const StoreImpl* store_ = nullptr;  // whose partitions the writes are to; null: none yet
  std::vector<Run> runs_;             // oldest first
  size_t file_runs_ = 0;              // how many of them are in files
  size_t external_runs_ = 0;          // and external
  mutable View view_;                 // of runs_, built when asked for
  std::unique_ptr<OpenRun> open_;
  std::vector<WriteRange> ranges_;
  CommitMarks marks_;
  std::unordered_set<uint64_t> left_, avoided_;  // those in marks_
  bool notes_new_runs_ = false;
  std::vector<Run> new_runs_;  // since TakeNewRuns
  arrow::Status status_;
  std::string read_;  // a value that Get read from a file
};

}  // namespace yarrow
