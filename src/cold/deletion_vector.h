// DeletionVector: the positions of a segment whose rows are there no more at one snapshot (overridden rows).
//
// A compressed bitmap (CRoaring). Positions are below 2^32: a segment has no more rows. Immutable, thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cold/segment_key.h"

struct roaring_bitmap_s;

namespace yarrow::cold {

class DeletionVector {
 public:
  DeletionVector();  // nothing dropped

  // Collects positions; not thread-safe.
  class Builder {
   public:
    Builder();
    // In any order, ascending is fastest; the same one twice counts once. Invalid from 2^32 on.
    arrow::Status Add(uint64_t position);
    // The key of an override of the segment that the first key named; Invalid for one of another.
    arrow::Status AddKey(std::string_view override_key);
    DeletionVector Finish();

   private:
    void Flush();
    std::shared_ptr<roaring_bitmap_s> bitmap_;
    std::vector<uint32_t> waiting_;
    std::optional<OverrideKey> first_;
  };

  bool empty() const { return cardinality_ == 0; }
  uint64_t cardinality() const { return cardinality_; }
  bool Contains(uint64_t position) const;
  // How many dropped positions are below `position`.
  uint64_t Rank(uint64_t position) const;
  // How many are in [begin, end).
  uint64_t CountIn(uint64_t begin, uint64_t end) const { return begin < end ? Rank(end) - Rank(begin) : 0; }
  // Calls `visit` with each maximal run [first, last) of kept positions within [begin, end), in order.
  void VisitKept(uint64_t begin, uint64_t end, const std::function<void(uint64_t first, uint64_t last)>& visit) const;
  // Calls `visit` with each dropped position within [begin, end), in order.
  void VisitDropped(uint64_t begin, uint64_t end, const std::function<void(uint64_t position)>& visit) const;

  // The kept rows of a batch whose first row is the segment's row `first_row`: the batch itself when all are, an empty
  // slice of it when none is.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> Filter(const std::shared_ptr<arrow::RecordBatch>& batch,
                                                            uint64_t first_row) const;

  size_t memory_bytes() const;

 private:
  explicit DeletionVector(std::shared_ptr<const roaring_bitmap_s> bitmap);
  std::shared_ptr<const roaring_bitmap_s> bitmap_;  // null: nothing dropped
  uint64_t cardinality_ = 0;
};

}  // namespace yarrow::cold
