// ExpireRows: what Table::Expire, SQL's yarrow_expire and the background run.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>

#include "table/table_impl.h"

namespace yarrow {

// See Table::Expire. No job when no row is due. Thread-safe.
arrow::Result<int64_t> ExpireRows(const std::shared_ptr<TableImpl>& table);

}  // namespace yarrow
