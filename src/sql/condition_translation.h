// DuckDB's conditions as Predicates: the one place where they are translated, as expressions of a plan or as the
// filters that a scan is given.
#pragma once

#include <cstddef>
#include <optional>

#include "catalog/table_schema.h"
#include "sql/duckdb_api.h"
#include "sql/index_expressions.h"
#include "yarrow/predicate.h"

namespace yarrow::sql {

// Testing each row against a longer list costs more than it saves a join above.
inline constexpr size_t kMostValuesToTest = 50;

// A predicate that is true for the same rows of the scan `get`, or nothing when there is none: comparisons of columns
// with constants of their type, IN, BETWEEN, IS [NOT] NULL, prefixes, and AND, OR, NOT of those.
std::optional<Predicate> TranslateExpression(const duckdb::Expression& expression, const duckdb::LogicalGet& get,
                                             const TableDefinition& table);
// The same, of expressions of the table's indexes as well, by number.
std::optional<Predicate> TranslateForIndexes(const duckdb::Expression& expression, const duckdb::LogicalGet& get,
                                             const TableImpl& table, const IndexedExpressions& indexed);

// The same of a table filter. Optional filters, which only save work, become True when they have none, and when they
// list more than `most_values`. `column`: position in the row schema.
std::optional<Predicate> TranslateFilter(const duckdb::TableFilter& filter, int column, const ColumnType& type,
                                         size_t most_values = kMostValuesToTest);

// Whether the filter on a STRUCT speaks of its fields alone.
bool IsOfFields(const duckdb::TableFilter& filter);
// Whether rows and segments of a column of that type are tested by the filter; else somebody above the scan has to.
bool IsTakenFilter(const duckdb::TableFilter& filter, const ColumnType& type);

// `column` = `value`, or nothing when no value of the column equals it.
std::optional<Predicate> TranslateEquality(const duckdb::Value& value, int column, const ColumnType& type);

// Nothing for types that are no comparison by order.
std::optional<Predicate::Op> ComparisonOf(duckdb::ExpressionType type);

// The longest list that is in an optional filter; 0: there is none.
size_t LongestOptionalList(const duckdb::TableFilter& filter);

}  // namespace yarrow::sql
