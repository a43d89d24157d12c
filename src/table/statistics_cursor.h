// The rows of system.stats, made one at a time from the store's figures when a scan asks for them.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "yarrow/store.h"

namespace yarrow {

// Walks like a ScanCursor, in key order. Encodes a figure only when the scan gets to it.
class StatisticsCursor {
 public:
  StatisticsCursor(const Store& store, bool reverse);
  bool Next();
  void ResetRange(std::string_view lower, std::string_view upper);
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  const arrow::Status& status() const { return status_; }
  uint64_t rows_visited() const { return rows_visited_; }
  uint64_t bytes_visited() const { return bytes_visited_; }

 private:
  std::vector<std::pair<std::string, uint64_t>> figures_;  // in the order of the walk
  bool reverse_;
  size_t next_ = 0;
  std::string lower_, upper_;
  std::string key_, value_;
  arrow::Status status_;
  uint64_t rows_visited_ = 0;
  uint64_t bytes_visited_ = 0;
};

}  // namespace yarrow
