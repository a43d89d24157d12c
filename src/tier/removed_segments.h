// RemovedSegments: what one statement removes as a whole before its transaction commits (DELETE without WHERE):
// segments and, when it is the transaction's only statement, a range of hot rows.
//
// They are an ExternalRun among the transaction's writes: kept, rolled back and committed with those, and seen through
// a View of them. Later statements of the transaction do not find the segments in the manifest that ColdTable::At makes
// for its View; hot rows they would find. The rows are named by no key: the commit has the table to itself and looks
// whether others have changed one of them (write/row_commit.h).
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
  RemovedSegments(Partition rows, uint32_t table_id, ColdSegments segments, bool with_hot_rows)
      : ExternalRun(rows, KeySummary()),
        table_id_(table_id),
        segments_(std::move(segments)),
        with_hot_rows_(with_hot_rows) {}

  uint32_t table_id() const { return table_id_; }
  const ColdSegments& segments() const { return segments_; }
  // Whether all hot rows go with them: of a user's table those of the user.
  bool with_hot_rows() const { return with_hot_rows_; }

  // None of them is known to the store.
  arrow::Result<std::optional<std::string>> FindKey(const std::function<bool(std::string_view key)>&) const override {
    return std::nullopt;
  }

 private:
  const uint32_t table_id_;
  const ColdSegments segments_;
  const bool with_hot_rows_;
};

// Those of one table among some writes.
ColdSegments RemovedSegmentsOf(uint32_t table_id, const WriteSet::View& writes);
bool RemovesHotRowsOf(uint32_t table_id, const WriteSet::View& writes);

}  // namespace yarrow
