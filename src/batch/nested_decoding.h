// Arrays of nested types from their bytes (type/nested_bytes.h). Pure, thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "batch/array_form.h"
#include "yarrow/type.h"

namespace yarrow::batch {

// An array of TypeOfForm(type, form). Invalid when bytes are none of a value of the type, or a value has no such form;
// CapacityError when the parts of all values have more than 2 GiB of text or elements.
arrow::Result<std::shared_ptr<arrow::Array>> DecodeNested(const arrow::BinaryArray& values, const ColumnType& type,
                                                          ArrayForm form);

}  // namespace yarrow::batch
