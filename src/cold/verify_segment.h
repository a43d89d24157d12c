// VerifySegment: whether a segment is what its manifest entry and its key filter say, found out by reading all of it.
//
// Pure function, thread-safe. Memory: one row group.
#pragma once

#include <arrow/status.h>

#include <memory>
#include <string>

#include "cold/key_filter.h"
#include "cold/segment.h"
#include "row/row_schema.h"

namespace yarrow::cold {

// Checks the file's SHA-256, then every row group: numbers of rows, keys that ascend strictly and begin with what the
// manifest says, column values within the bounds and as many NULLs and NaNs as the statistics tell; and that the
// filter, if given, has every key. Invalid, naming the file and the first thing found wrong. `row_schema`: the table's,
// now.
arrow::Status VerifySegment(const Segment& segment, const std::shared_ptr<const RowSchema>& row_schema,
                            const std::string& key_prefix, const KeyFilter* key_filter = nullptr);

}  // namespace yarrow::cold
