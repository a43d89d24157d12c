// KeyHulls: few ranges that hold many keys between them, for whoever cannot look at each key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/write_set.h"

namespace yarrow {

// Sees ascending keys once and cuts where neighbours have least in common: keys of two tables have less in common than
// those of one, and far ones less than near ones. Keeps no more than the ends of the ranges. Not thread-safe.
class KeyHulls {
 public:
  static constexpr size_t kMostHulls = 256;

  // Each key behind the first, together with the one before.
  void Add(std::string_view previous, std::string_view key);
  // The ranges from `first`, the first key, to `last`, the last one, which it includes. Ascending.
  std::vector<WriteRange> Make(uint32_t partition_id, std::string_view first, std::string_view last) const;

 private:
  struct Cut {
    size_t shared;  // bytes that both keys begin with
    std::string before, behind;
  };
  void KeepShortest();

  std::vector<Cut> cuts_;
  size_t limit_ = SIZE_MAX;  // neighbours that share as much or more stay together
};

}  // namespace yarrow
