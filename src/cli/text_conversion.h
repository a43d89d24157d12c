// Columns of text into columns of a type.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "cli/csv_dialect.h"
#include "yarrow/type.h"

namespace yarrow::cli {

// The cells of `texts` in the form of `type`, read as Value::Parse does, without the blanks around anything but text
// and binary. A cell that `type` cannot hold sets *bad_row and is an Invalid that shows it; in columns other than text
// and binary, a NULL spelling (which had quotes, or it would be NULL already) is NULL.
arrow::Result<std::shared_ptr<arrow::Array>> ConvertTexts(const arrow::BinaryArray& texts, const ColumnType& type,
                                                          const CsvDialect& dialect, int64_t* bad_row);

}  // namespace yarrow::cli
