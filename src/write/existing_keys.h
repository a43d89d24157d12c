// ExistingKeys: what ascending keys have in the hot tier already, found by walking along with them.
#pragma once

#include <arrow/result.h>

#include <string_view>
#include <utility>

#include "key/key_range.h"
#include "store/store_commits.h"
#include "table/table_impl.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {

// Not thread-safe. The table outlives it.
class ExistingKeys {
 public:
  // Of a table's partition: keys that begin with `prefix`, at the snapshot under the writes.
  ExistingKeys(const TableImpl& table, std::string_view prefix, const Snapshot& snapshot, WriteSet::View overlay)
      : cursor_(table.store().commits().Scan({.partition = table.entry().partition,
                                              .lower = std::string(prefix),
                                              .upper = PrefixSuccessor(prefix),
                                              .snapshot = snapshot,
                                              .fill_cache = false},
                                             std::move(overlay))) {}

  // Whether the key is there; no key before that of the last call.
  arrow::Result<bool> Find(std::string_view key) {
    // A few steps are cheaper than a seek; a gap of many rows is not walked.
    for (int steps = 0; state_ == kBefore || (state_ == kAt && cursor_.key() < key); ++steps) {
      if (steps == kStepsBeforeSeek || state_ == kBefore) cursor_.Seek(key);
      state_ = cursor_.Next() ? kAt : kEnd;
      ARROW_RETURN_NOT_OK(cursor_.status());
    }
    return state_ != kEnd && cursor_.key() == key;
  }
  // Of the key that was found; valid until the next call.
  std::string_view value() const { return cursor_.value(); }

 private:
  static constexpr int kStepsBeforeSeek = 8;
  enum State { kBefore, kAt, kEnd };
  ScanCursor cursor_;
  State state_ = kBefore;
};

}  // namespace yarrow
