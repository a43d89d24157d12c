// FlushTable: what Table::Flush and SQL's yarrow_flush run.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "table/table_impl.h"
#include "yarrow/flush.h"

namespace yarrow {

// See Table::Flush. Thread-safe.
arrow::Result<FlushResult> FlushTable(const std::shared_ptr<TableImpl>& table, const FlushOptions& options);

}  // namespace yarrow
