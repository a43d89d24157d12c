// The parts of a table, on which its jobs work one after the other: a shared table is its only part, a user table has
// one for each user who has rows.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "table/table_impl.h"

namespace yarrow::flush {

// Which parts of a user table are worth a visit: those with at least so many hot rows, and those with segments.
struct PartsWith {
  std::optional<int64_t> hot_rows = {};
  bool segments = false;
};

using TablePart = std::shared_ptr<TableImpl>;
using OnPart = std::function<arrow::Status(const TablePart& part)>;

// Calls `work` for one part after the other. An error that is of one part's rows alone, such as a damaged segment, does
// not keep the others from theirs: it is returned at the end, with the number of such parts; `done` says what was to be
// done ("flushed"). The user whose part it is, and who acts for nobody, is told more. Any other error ends the work.
arrow::Status ForEachPart(const std::shared_ptr<TableImpl>& table, const PartsWith& with, std::string_view done,
                          const OnPart& work);

// The same until `work` says true, which is then the answer, whatever failed before.
arrow::Result<bool> AnyPart(const std::shared_ptr<TableImpl>& table, const PartsWith& with, std::string_view done,
                            const std::function<arrow::Result<bool>(const TablePart& part)>& work);

// `work` on the table as it is defined now, and again when it is altered meanwhile.
arrow::Status OnPresentTable(const std::shared_ptr<TableImpl>& table, const OnPart& work);

}  // namespace yarrow::flush
