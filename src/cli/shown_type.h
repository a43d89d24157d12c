// The column types by which programs' Arrow arrays are shown and written.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include "yarrow/table_definition.h"
#include "yarrow/type.h"

namespace yarrow::cli {

// ColumnType::FromArrow, but for UHUGEINT, also in nested types: Arrow has one decimal for it and HUGEINT. `table`
// tells which one the column of the field's name is; null: HUGEINT.
arrow::Result<ColumnType> ShownType(const arrow::Field& field, const TableDefinition* table);

}  // namespace yarrow::cli
