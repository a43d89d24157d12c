// ExpireRows: what Table::Expire, SQL's yarrow_expire and the background run.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>

#include "table/table_impl.h"

namespace yarrow {

// See Table::Expire. No job when no row is due. `on_progress`, if there is one, is asked now and then, with the rows
// that are gone so far: its error ends the expiry. Thread-safe.
arrow::Result<int64_t> ExpireRows(const std::shared_ptr<TableImpl>& table, const OnProgress& on_progress = {});

}  // namespace yarrow
