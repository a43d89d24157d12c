// CommitRun: keys that were committed, and when; closed to more, so that it can be looked at outside the commit mutex.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "store/key_hashes.h"
#include "store/spill_file.h"

namespace yarrow {

// In memory, or in a file: there only every 256th hash is in memory, and a lookup reads 4 KiB. Immutable, so safe to
// share between threads.
class CommitRun {
 public:
  struct Point {
    uint64_t hash;
    uint64_t sequence;
  };
  // Of many small commits; of a hash that is there more than once, the last point counts.
  explicit CommitRun(std::vector<Point> points);
  // Of one large commit.
  CommitRun(std::shared_ptr<const KeyHashes> keys, uint64_t sequence);
  ~CommitRun();
  CommitRun(const CommitRun&) = delete;
  CommitRun& operator=(const CommitRun&) = delete;

  // The same in the file.
  arrow::Result<std::shared_ptr<const CommitRun>> Spill(std::shared_ptr<SpillFile> file) const;

  uint64_t newest() const { return newest_; }
  size_t size() const { return size_; }
  bool is_spilled() const { return file_ != nullptr; }
  uint64_t memory_bytes() const;

  // Sequence of the last commit of the key; 0: none in here.
  arrow::Result<uint64_t> LastCommit(uint64_t hash) const;
  // One of `keys` that was committed after that sequence. Costs by the smaller of the two, in a file by the run.
  arrow::Result<std::optional<Point>> FindCommon(const KeyHashes& keys, uint64_t after) const;

 private:
  static constexpr size_t kPointsPerBlock = 256;

  CommitRun() = default;
  uint64_t SequenceAt(size_t position) const { return sequences_.empty() ? newest_ : sequences_[position]; }
  arrow::Status ReadBlock(size_t block, std::vector<Point>* points) const;

  size_t size_ = 0;
  uint64_t newest_ = 0;
  std::shared_ptr<const KeyHashes> keys_;  // null: in the file
  std::vector<uint64_t> sequences_;        // of each key; empty: all are of newest_
  std::shared_ptr<SpillFile> file_;        // null: in memory
  uint64_t offset_ = 0;
  std::vector<uint64_t> first_hashes_;  // of each block in the file
};

}  // namespace yarrow
