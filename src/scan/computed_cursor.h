// The rows of system tables that lie nowhere as rows: they are made when a scan gets to them.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "catalog/system_tables.h"
#include "yarrow/store.h"

namespace yarrow {

struct ColdTier;
class Jobs;

// Encoded keys and rows, in key order. Not thread-safe.
class ComputedRows {
 public:
  virtual ~ComputedRows() = default;
  virtual size_t size() const = 0;
  virtual void Key(size_t i, std::string* key) const = 0;  // replaces `key`
  virtual arrow::Status Row(size_t i, std::string* row) const = 0;
};

// system.stats: figures of the store, of the caches of segments and of jobs, as of now. system.segments: the manifest,
// as of the snapshot (null: now).
arrow::Result<std::unique_ptr<ComputedRows>> MakeComputedRows(SystemTableId table, const ColdTier& tier,
                                                              const Jobs& jobs, Snapshot snapshot);

// Walks them like a ScanCursor. Not thread-safe.
class ComputedCursor {
 public:
  ComputedCursor(std::unique_ptr<ComputedRows> rows, bool reverse) : rows_(std::move(rows)), reverse_(reverse) {}
  bool Next();
  void ResetRange(std::string_view lower, std::string_view upper);
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  const arrow::Status& status() const { return status_; }
  uint64_t rows_visited() const { return rows_visited_; }
  uint64_t bytes_visited() const { return bytes_visited_; }

 private:
  std::unique_ptr<ComputedRows> rows_;
  bool reverse_;
  size_t next_ = 0;
  std::string lower_, upper_;
  std::string key_, value_;
  arrow::Status status_;
  uint64_t rows_visited_ = 0;
  uint64_t bytes_visited_ = 0;
};

}  // namespace yarrow
