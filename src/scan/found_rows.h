// FoundRows: rows of a table that were found before the scan begins, and are read nowhere else: those that the entries
// of an index say all about (table/index_lookup.h).
#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace yarrow {

// Encoded keys and rows. Filled by one thread; after Sort immutable and thread-safe.
class FoundRows {
 public:
  // All keys begin with the same prefix. `row` has no value for columns that the scan does not read, or is empty when
  // only keys are asked for.
  void Add(std::string_view key_prefix, std::string_view rest_of_key, std::string_view row);
  // By key; each key once.
  void Sort();

  size_t size() const { return rows_.size(); }
  std::string_view key(size_t i) const { return std::string_view(bytes_).substr(rows_[i].at, rows_[i].key_size); }
  std::string_view row(size_t i) const {
    return std::string_view(bytes_).substr(rows_[i].at + rows_[i].key_size, rows_[i].row_size);
  }
  // The first row whose key is not below this one.
  size_t LowerBound(std::string_view key) const;

 private:
  struct Place {
    size_t at = 0;      // in bytes_: key, then row
    uint64_t head = 0;  // the first bytes behind the prefix as a number, which orders most keys without a look at them
    uint32_t key_size = 0, row_size = 0;
  };
  std::string bytes_;
  std::vector<Place> rows_;
};

// Walks them like a ScanCursor. Not thread-safe.
class FoundCursor {
 public:
  FoundCursor(std::shared_ptr<const FoundRows> rows, bool reverse) : rows_(std::move(rows)), reverse_(reverse) {}
  void ResetRange(std::string_view lower, std::string_view upper);
  bool Next();
  std::string_view key() const { return rows_->key(at_); }
  std::string_view value() const { return rows_->row(at_); }
  const arrow::Status& status() const { return status_; }
  uint64_t rows_visited() const { return rows_visited_; }
  uint64_t bytes_visited() const { return bytes_visited_; }

 private:
  std::shared_ptr<const FoundRows> rows_;
  bool reverse_;
  size_t first_ = 0, end_ = 0;  // of those that are left
  size_t at_ = 0;
  arrow::Status status_;  // rows in memory give no error
  uint64_t rows_visited_ = 0, bytes_visited_ = 0;
};

}  // namespace yarrow
