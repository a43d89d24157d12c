// RemovedSegments: segments that one statement removes as a whole before its transaction commits: DELETE without WHERE.
//
// They are an ExternalRun among the transaction's writes: kept, rolled back and committed with those, and seen through
// a View of them. Later statements of the transaction do not find the segments in the manifest that ColdTable::At makes
// for its View. Their rows are named by no key: the commit has the table to itself and looks whether others have
// changed one of them (write/row_commit.h).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "store/external_run.h"
#include "store/write_set.h"
#include "tier/cold_segment.h"

namespace yarrow {

// Of one table. Immutable; thread-safe.
class RemovedSegments : public ExternalRun {
 public:
  // `rows`: the partition of the table's hot rows.
  RemovedSegments(Partition rows, uint32_t table_id, ColdSegments segments)
      : ExternalRun(rows, KeySummary()), table_id_(table_id), segments_(std::move(segments)) {}

  uint32_t table_id() const { return table_id_; }
  const ColdSegments& segments() const { return segments_; }

  // None of them is known to the store.
  arrow::Result<std::optional<std::string>> FindKey(const std::function<bool(std::string_view key)>&) const override {
    return std::nullopt;
  }

 private:
  const uint32_t table_id_;
  const ColdSegments segments_;
};

// Those of one table among some writes.
ColdSegments RemovedSegmentsOf(uint32_t table_id, const WriteSet::View& writes);

}  // namespace yarrow
