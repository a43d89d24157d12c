#include "scan/projection_cache.h"

#include <numeric>
#include <utility>

namespace yarrow {

arrow::Result<std::unique_ptr<BatchBuilder>> CachedProjection::TakeBuilder(arrow::MemoryPool* pool) {
  if (pool == nullptr) {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto builder = std::move(free_.back());
      free_.pop_back();
      return builder;
    }
  }
  return BatchBuilder::Make(row_schema_, columns_, schema_, pool);
}

void CachedProjection::GiveBack(std::unique_ptr<BatchBuilder> builder) noexcept {
  if (builder->rows() > 0) return;
  std::lock_guard lock(mutex_);
  if (free_.size() < kMostFree) free_.push_back(std::move(builder));
}

ProjectionCache::ProjectionCache(std::shared_ptr<const RowSchema> row_schema, size_t visible_columns,
                                 std::shared_ptr<arrow::Schema> visible_schema)
    : row_schema_(std::move(row_schema)) {
  std::vector<int> columns(visible_columns);
  std::iota(columns.begin(), columns.end(), 0);
  visible_ = std::make_shared<CachedProjection>(row_schema_, std::move(columns), std::move(visible_schema));
}

std::shared_ptr<CachedProjection> ProjectionCache::Get(const std::vector<int>& columns) {
  if (columns == visible_->columns()) return visible_;
  std::lock_guard lock(mutex_);
  for (const auto& projection : others_) {
    if (projection->columns() == columns) return projection;
  }
  if (others_.size() == kMostProjections) others_.erase(others_.begin());
  others_.push_back(std::make_shared<CachedProjection>(row_schema_, columns, ProjectedSchema(*row_schema_, columns)));
  return others_.back();
}

}  // namespace yarrow
