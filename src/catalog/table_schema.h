// From a table's definition to how its rows lie in bytes.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "row/row_schema.h"
#include "yarrow/table_definition.h"

namespace yarrow {

// Name of the hidden key column of a table without a primary key.
inline constexpr const char* kRowIdColumn = "_row_id";

// Names that differ only in the case of ASCII letters are one name: this is its form for comparing.
std::string FoldCase(std::string_view name);

// Where SQL shows a column: after how many others, with the generated ones, which the definition has apart.
uint32_t SqlPosition(const TableDefinition& definition, size_t column);
// The inverse: which of the definition's columns, or nothing for a generated one. A hidden column has a position, too.
std::optional<size_t> ColumnAtSqlPosition(const TableDefinition& definition, uint64_t position);

// `key_prefix_size`: bytes of a key before its key columns; with a user table it depends on the user's name.
arrow::Result<std::shared_ptr<const RowSchema>> MakeRowSchema(const TableDefinition& definition,
                                                              size_t key_prefix_size);

// Each checks one part of a definition; `table` is for messages. Invalid, naming table and column.
arrow::Status CheckTableName(const std::string& table, const std::string& name);
arrow::Status CheckColumnName(const std::string& table, const std::string& name);
arrow::Result<Value> DefaultFor(const std::string& table, const std::string& column, const Value& value,
                                const ColumnType& type);
arrow::Result<ColumnDefinition> DefineColumn(const std::string& table, const ColumnSpec& spec, uint32_t id);

// Of the table, whose columns it names. NotImplemented for a column of a type that keys cannot have.
arrow::Result<IndexDefinition> DefineIndex(const TableDefinition& table, const IndexSpec& spec, uint32_t id);

// Checks a spec and gives it ids: the definition that `id` will have, the ids behind it going to its indexes. Invalid,
// naming table and column.
arrow::Result<TableDefinition> DefineTable(const TableSpec& spec, uint32_t id);

}  // namespace yarrow
