// OverlayCursor: walks the sealed runs of a WriteSet as one sorted sequence, the newest op of each key.
#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/file_run.h"
#include "store/key_heap.h"
#include "store/write_run.h"
#include "store/write_set.h"

namespace yarrow {

// Reads a View, which must outlive it. Not thread-safe.
class OverlayCursor {
 public:
  // Goes to the first op, in the direction asked for, of the partition's [lower, upper) at or behind `target`. An empty
  // bound or null target is none.
  void Position(const WriteSet::View& view, Partition partition, std::string_view lower, std::string_view upper,
                const std::string_view* target, bool reverse);

  // Null at the end, and after an error, which `status` tells. Lives until Advance.
  const WriteOp* current() const { return heads_.empty() || !status_.ok() ? nullptr : &heads_.top().op; }
  void Advance();
  const arrow::Status& status() const { return status_; }

 private:
  // What is left of one run: in memory positions `at` to before `end`, in steps of step_; in files a cursor.
  struct Head {
    const std::vector<WriteOp>* ops = nullptr;
    std::ptrdiff_t at = 0;
    std::ptrdiff_t end = 0;
    std::unique_ptr<FileRunCursor> file;
    size_t age = 0;  // of the run: the newest has the highest
    WriteOp op;
  };
  // Of equal keys the newest run has the say.
  struct IsBefore {
    bool reverse = false;
    bool operator()(const Head& a, const Head& b) const {
      const int order = a.op.key().compare(b.op.key());
      return order == 0 ? a.age > b.age : (order < 0) != reverse;
    }
  };
  // Makes the run's present op the head's; false when there is none.
  bool Load(Head* head);

  KeyHeap<Head, IsBefore> heads_;  // of the runs that have ops left
  std::ptrdiff_t step_ = 1;
  uint32_t partition_id_ = 0;
  std::string passed_;  // the key that Advance leaves
  arrow::Status status_;
};

}  // namespace yarrow
