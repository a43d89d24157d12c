#include "store/tombstone_count.h"

#include <rocksdb/perf_context.h>
#include <rocksdb/perf_level.h>

namespace yarrow {

TombstoneCount::TombstoneCount(bool enabled) : enabled_(enabled) {
  if (!enabled_) return;
  const rocksdb::PerfLevel level = rocksdb::GetPerfLevel();
  level_before_ = level;
  if (level < rocksdb::PerfLevel::kEnableCount) rocksdb::SetPerfLevel(rocksdb::PerfLevel::kEnableCount);
  count_before_ = rocksdb::get_perf_context()->internal_delete_skipped_count;
}

TombstoneCount::~TombstoneCount() {
  if (enabled_) rocksdb::SetPerfLevel(static_cast<rocksdb::PerfLevel>(level_before_));
}

uint64_t TombstoneCount::value() const {
  return enabled_ ? rocksdb::get_perf_context()->internal_delete_skipped_count - count_before_ : 0;
}

}  // namespace yarrow
