// Projections of a table that were scanned before: their schema objects, and batch builders ready for the next scan.
//
// Making a builder plans the decoding of every column; a scan of ten rows would spend more time on that than on its
// rows.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "batch/batch_builder.h"
#include "row/row_schema.h"

namespace yarrow {

// One list of columns, as positions in the table's. Thread-safe.
class CachedProjection {
 public:
  CachedProjection(std::shared_ptr<const RowSchema> row_schema, std::vector<int> columns,
                   std::shared_ptr<arrow::Schema> schema)
      : row_schema_(std::move(row_schema)), columns_(std::move(columns)), schema_(std::move(schema)) {
    // Arrow compares schemas by a text that it makes when first asked, which several threads would do at once.
    (void)schema_->fingerprint();
    free_.reserve(kMostFree);
  }

  const std::vector<int>& columns() const { return columns_; }
  // The schema of its batches: one object as long as the projection is cached.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  // A builder without rows that allocates from `pool` (null: Arrow's default).
  arrow::Result<std::unique_ptr<BatchBuilder>> TakeBuilder(arrow::MemoryPool* pool);
  // Keeps a builder from TakeBuilder(nullptr) for later, if it has no rows and there is room.
  void GiveBack(std::unique_ptr<BatchBuilder> builder) noexcept;

 private:
  static constexpr size_t kMostFree = 4;

  const std::shared_ptr<const RowSchema> row_schema_;
  const std::vector<int> columns_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<BatchBuilder>> free_;  // there is room for all
};

// The projections of one open table, the latest few. Thread-safe.
class ProjectionCache {
 public:
  // The first `visible_columns` columns in order have the schema `visible_schema`.
  ProjectionCache(std::shared_ptr<const RowSchema> row_schema, size_t visible_columns,
                  std::shared_ptr<arrow::Schema> visible_schema);

  // All visible columns in order.
  const std::shared_ptr<CachedProjection>& visible() const { return visible_; }
  std::shared_ptr<CachedProjection> Get(const std::vector<int>& columns);

 private:
  static constexpr size_t kMostProjections = 16;

  const std::shared_ptr<const RowSchema> row_schema_;
  std::shared_ptr<CachedProjection> visible_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<CachedProjection>> others_;  // oldest first
};

}  // namespace yarrow
