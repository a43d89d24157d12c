// WalkWrites: what a run of a WriteSet does to a range of keys, deletions included.
#pragma once

#include <arrow/status.h>

#include <functional>
#include <string_view>

#include "store/write_set.h"

namespace yarrow {

// Calls `take` for each write of the partition within [lower, upper), keys ascending. Of a run in memory or in files;
// an external one has none. Key and value live until `take` returns; an error of it ends the walk.
using TakeWrite = std::function<arrow::Status(WriteOp::Kind kind, std::string_view key, std::string_view value)>;
arrow::Status WalkWrites(const WriteSet::Run& run, uint32_t partition_id, std::string_view lower,
                         std::string_view upper, const TakeWrite& take);

}  // namespace yarrow
