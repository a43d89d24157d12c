// The columns and indexes of a table's definition as records of system.columns and system.indexes, and back.
#pragma once

#include <arrow/result.h>

#include <cstdint>

#include "catalog/records.h"
#include "yarrow/table_definition.h"

namespace yarrow {

// `position`: 1 and up; 0 of a dropped one.
ColumnRecord ToRecord(const TableDefinition& table, const ColumnDefinition& column, uint32_t position);
ColumnRecord ToRecord(const TableDefinition& table, const GeneratedColumn& column);
IndexRecord ToRecord(const TableDefinition& table, const IndexDefinition& index);

// Invalid for what no program has written.
arrow::Result<GeneratedColumn> ToGenerated(uint32_t id, const ColumnRecord& record);
arrow::Result<ColumnDefinition> FromRecord(uint32_t id, const ColumnRecord& record);
// Without the names of what a FOREIGN KEY refers to.
arrow::Result<IndexDefinition> FromRecord(uint32_t id, IndexRecord record);

}  // namespace yarrow
