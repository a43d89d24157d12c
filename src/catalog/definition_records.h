// The columns of a table's definition as records of system.columns, and back.
#pragma once

#include <arrow/result.h>

#include <cstdint>

#include "catalog/records.h"
#include "yarrow/table_definition.h"

namespace yarrow {

// `position`: 1 and up; 0 of a dropped one.
ColumnRecord ToRecord(const TableDefinition& table, const ColumnDefinition& column, uint32_t position);
ColumnRecord ToRecord(const TableDefinition& table, const GeneratedColumn& column);

// Invalid for what no program has written.
arrow::Result<GeneratedColumn> ToGenerated(uint32_t id, const ColumnRecord& record);
arrow::Result<ColumnDefinition> FromRecord(uint32_t id, const ColumnRecord& record);

}  // namespace yarrow
