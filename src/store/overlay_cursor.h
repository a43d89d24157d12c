// OverlayCursor: walks the sealed runs of a WriteSet as one sorted sequence, the newest op of each key.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "store/write_run.h"
#include "yarrow/write_set.h"

namespace yarrow {

// Reads a View, which must outlive it. Not thread-safe.
class OverlayCursor {
 public:
  // Goes to the first op, in the direction asked for, of the partition's [lower, upper) at or behind `target`. An empty
  // bound or null target is none.
  void Position(const WriteSet::View& view, Partition partition, std::string_view lower, std::string_view upper,
                const std::string_view* target, bool reverse);

  const WriteOp* current() const { return current_; }  // null at the end
  void Advance();

 private:
  // What is left of one run: positions `at` to before `end`, in steps of step_.
  struct Head {
    const std::vector<WriteOp>* ops;
    std::ptrdiff_t at;
    std::ptrdiff_t end;
    const WriteOp& op() const { return (*ops)[static_cast<size_t>(at)]; }
  };
  void FindCurrent();

  std::vector<Head> heads_;  // oldest run first, only those that have ops left
  std::ptrdiff_t step_ = 1;
  const WriteOp* current_ = nullptr;
};

}  // namespace yarrow
