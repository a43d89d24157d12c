// Values as an Arrow array of the type in which programs get them. Value by value: for few values, and for tests.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>

#include "yarrow/value.h"

namespace yarrow {

// Of type.ToArrow(). The values are in the exact form of the type, or NULL. Invalid for one that Arrow does not hold.
arrow::Result<std::shared_ptr<arrow::Array>> ArrayOfValues(std::span<const Value> values, const ColumnType& type);

}  // namespace yarrow
