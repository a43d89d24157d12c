// Indexes on expressions: how SQL reads, computes and recognises them.
//
// Entries are written by whoever changes rows, also where no statement of SQL runs, and must not depend on a session.
// So an expression is bound by a DuckDB instance of the process's own, which has DuckDB's functions and settings as
// they come. What a session reads otherwise (macros, settings, time zones) is refused when the index is made; a query
// whose condition is bound otherwise does not use the index.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/duckdb_api.h"
#include "table/table_impl.h"
#include "yarrow/predicate.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// One part of CREATE INDEX.
struct ReadExpression {
  IndexExpression expression;
  std::vector<std::string> columns;  // that it is made from
};
// `text` names columns without the table. Throws DuckDB's exceptions, which begin with `where`, for what cannot be
// computed from one row alone, always to the same value.
ReadExpression ReadIndexExpression(const std::string& where, const std::string& text, const TableDefinition& table);

// Throws when the expression, as the session that makes the index has bound it over the scan `get`, is another one.
void CheckReadsAlike(const std::string& where, const ReadExpression& read, const TableDefinition& table,
                     const duckdb::Expression& bound, const duckdb::LogicalGet& get);

// The expressions of a table's indexes, as parts of a plan over a scan of the table. They outlive what is asked.
class IndexedExpressions {
 public:
  IndexedExpressions(const duckdb::ClientContext& context, const TableImpl& table, const duckdb::LogicalGet& get);
  // The number (row/index_keys.h) of one that is the same for every row; nothing when there is none.
  std::optional<int> Find(const duckdb::Expression& expression) const;
  bool has_any() const { return has_any_; }

 private:
  const TableImpl& table_;
  const duckdb::LogicalGet& get_;
  bool has_any_ = false;
};

// The type of a column, or of an expression by its number.
const ColumnType& TypeOfNumber(const TableImpl& table, int number);

}  // namespace yarrow::sql
