// Columns of text into columns of a type.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/type.h"

namespace yarrow::cli {

// The cells of `texts` in the form of `type`, read as Value::Parse does, without the blanks around anything but text
// and binary. In columns other than those a text of `null_texts` is NULL. A cell that `type` cannot hold as it is
// written sets *bad_row and is an Invalid that shows it: nothing is rounded but numbers with a point or an exponent in
// columns of FLOAT and DOUBLE.
arrow::Result<std::shared_ptr<arrow::Array>> ParseTexts(const arrow::BinaryArray& texts, const ColumnType& type,
                                                        const std::vector<std::string>& null_texts, int64_t* bad_row);

}  // namespace yarrow::cli
