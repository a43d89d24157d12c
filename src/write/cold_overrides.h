// ColdOverrides: the rows of segments that a statement replaces or deletes, however many they are.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <map>
#include <memory>

#include "cold/deletion_vector.h"
#include "store/write_set.h"
#include "table/table_impl.h"
#include "tier/manifest.h"

namespace yarrow {

// A bitmap of positions for each segment: bits, not keys, for each row. Not thread-safe.
class ColdOverrides {
 public:
  arrow::Status Add(const ColdPlace& place);

  // Adds an override entry for each place, in files when they are many. Once, at the end.
  arrow::Status WriteTo(const TableImpl& table, WriteSet* writes);

 private:
  struct OfSegment {
    std::shared_ptr<const ColdSegment> segment;
    cold::DeletionVector::Builder positions;
  };
  std::map<cold::SegmentId, OfSegment> segments_;
  uint64_t count_ = 0;
};

}  // namespace yarrow
