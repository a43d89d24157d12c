// The order of a plan's scans: which scan an operator reads, and whether rows in key order are in the order asked for.
#pragma once

#include <cstddef>
#include <optional>

#include "sql/duckdb_api.h"
#include "sql/sql_scan.h"

namespace yarrow::sql {

// The scan of ours whose rows are those of `op`, one for one; or, past filters, some of them in the same order. Null:
// there is none.
enum class Past { kProjections, kFiltersToo };
duckdb::LogicalGet* ScanBelow(duckdb::LogicalOperator& op, Past past = Past::kProjections);

ScanBindData& BindDataOf(duckdb::LogicalGet& get);

// Whether rows in key order, or in reverse, are in the order asked for: its columns are the key's in turn, all
// ascending or all descending; key columns that a filter holds at one value may be left out, and behind the whole key
// anything may follow. Keys are ordered like their values and are never NULL. (A collation would make the expression
// something else than a column.)
std::optional<bool> KeyOrderReversed(const duckdb::vector<duckdb::BoundOrderByNode>& orders,
                                     duckdb::LogicalOperator& below, duckdb::LogicalGet& get);

// The order asked for as one that an index may have; nothing when it is by other things than columns and the
// expressions of indexes, or in turns.
std::optional<IndexOrder> IndexOrderOf(const duckdb::ClientContext& context,
                                       const duckdb::vector<duckdb::BoundOrderByNode>& orders,
                                       duckdb::LogicalOperator& below, duckdb::LogicalGet& get);

// The number (row/index_keys.h) of the expression, which indexes of the scan's table have; nothing when none has it.
std::optional<int> NumberOfExpression(const duckdb::ClientContext& context, const duckdb::Expression& expression,
                                      duckdb::LogicalOperator& below, duckdb::LogicalGet& get);

// How many columns of the key there are up to the one that the expression is; 0 when it is none (the row id, say).
size_t KeyColumnsUpTo(const duckdb::Expression& expression, duckdb::LogicalOperator& below, duckdb::LogicalGet& get);

}  // namespace yarrow::sql
