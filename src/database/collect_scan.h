// The way of the first release, kept as the baseline that benchmarks compare with: see Table::ScanAll.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "table/table_impl.h"

namespace yarrow {

// Collects all rows, then a map from column name to value for each, then drops the deleted ones, then builds one column
// after the other: everything in memory several times over.
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectScan(const TableImpl& table);

}  // namespace yarrow
