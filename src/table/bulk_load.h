// Bulk loads: rows sorted in bounded memory, written as SST files, made visible in one step.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <functional>

#include "table/table_impl.h"
#include "yarrow/table.h"

namespace yarrow {

// `publish` makes the rows visible after they were committed, for a table that nobody finds before; with it, a failed
// load may leave rows behind.
arrow::Result<int64_t> RunBulkLoad(const TableImpl& table, arrow::RecordBatchReader* reader,
                                   const BulkLoadOptions& options, const std::function<arrow::Status()>& publish = {});

}  // namespace yarrow
