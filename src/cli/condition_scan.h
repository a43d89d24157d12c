// The scan of a table with an SQL condition, as DuckDB runs it.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "cli/command.h"
#include "yarrow/scan_options.h"

namespace yarrow::cli {

// How values that Arrow has in parts come: so, as DuckDB's text, or as JSON.
enum class CellForm { kArrow, kText, kJson };

// How to read the rows of a selection.
struct ScanWay {
  bool reverse = false;
  int threads = 1;     // 0: the setting scan_threads, with a condition one a core
  bool count = false;  // that metrics() will be asked for, once all rows were read
  CellForm form = CellForm::kArrow;
};

// Rows in key order, in the types of the table's columns. Without a condition it is Table::Scan. Invalid or KeyError,
// beginning with --where or naming the column, for a selection that does not fit the table.
arrow::Result<std::shared_ptr<TableScan>> OpenScan(const OpenedTable& opened, const RowSelection& selection,
                                                   const ScanWay& way = {});

}  // namespace yarrow::cli
