// Bulk loads: rows sorted in bounded memory, written as segments or SST files, made visible in one step.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "table/table_impl.h"
#include "yarrow/write_options.h"

namespace yarrow {

// `changes` are committed with the rows: for a table that is made with them.
arrow::Result<int64_t> RunBulkLoad(const TableImpl& table, arrow::RecordBatchReader* reader,
                                   const BulkLoadOptions& options, const CatalogChanges& changes = {});

}  // namespace yarrow
