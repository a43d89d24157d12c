#include "table/statistics_cursor.h"

#include <algorithm>

#include "catalog/records.h"

namespace yarrow {

StatisticsCursor::StatisticsCursor(const Store& store, bool reverse) : figures_(store.Statistics()), reverse_(reverse) {
  std::sort(figures_.begin(), figures_.end());
  if (reverse_) std::reverse(figures_.begin(), figures_.end());
}

void StatisticsCursor::ResetRange(std::string_view lower, std::string_view upper) {
  lower_ = lower;
  upper_ = upper;
  next_ = 0;
}

bool StatisticsCursor::Next() {
  while (next_ < figures_.size()) {
    const auto& [name, value] = figures_[next_++];
    key_.clear();
    EncodeSystemKey(SystemTableId::kStats, {name}, &key_);
    if (key_ < lower_ || (!upper_.empty() && key_ >= upper_)) continue;
    const bool is_bytes = name.ends_with("_bytes");
    value_.clear();
    EncodeSystemRow(SystemTableId::kStats, {value, is_bytes ? "bytes" : "count"}, &value_);
    ++rows_visited_;
    bytes_visited_ += key_.size() + value_.size();
    return true;
  }
  return false;
}

}  // namespace yarrow
