#include "sql/key_order.h"

#include <duckdb/planner/expression_iterator.hpp>

#include <algorithm>

#include "catalog/table_schema.h"
#include "sql/index_expressions.h"
#include "sql/stored_columns.h"

namespace yarrow::sql {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

namespace {

// DuckDB compares nested values part by part, and what passes comes in another order.
bool ComparesNested(const duckdb::Expression& expression) {
  bool found = false;
  duckdb::ExpressionIterator::EnumerateChildren(expression, [&](const duckdb::Expression& child) {
    found = found || child.return_type.IsNested() || ComparesNested(child);
  });
  return found;
}

bool KeepsOrder(const LogicalOperator& filter) {
  return std::ranges::none_of(filter.expressions, [](const auto& condition) { return ComparesNested(*condition); });
}

}  // namespace

duckdb::LogicalGet* ScanBelow(LogicalOperator& op, Past past) {
  LogicalOperator* below = &op;
  while (below->type == LogicalOperatorType::LOGICAL_PROJECTION ||
         (past == Past::kFiltersToo && below->type == LogicalOperatorType::LOGICAL_FILTER && KeepsOrder(*below))) {
    below = below->children[0].get();
  }
  if (below->type != LogicalOperatorType::LOGICAL_GET) return nullptr;
  auto& get = below->Cast<duckdb::LogicalGet>();
  return get.function.name == "yarrow_scan" ? &get : nullptr;
}

ScanBindData& BindDataOf(duckdb::LogicalGet& get) {
  return get.bind_data->Cast<ScanBindData>();
}

namespace {

// The position in its definition of the column, or id of the virtual one, of the scan's table that an expression above
// projections and filters is, and nothing but.
std::optional<duckdb::column_t> ColumnOf(const duckdb::Expression& expression, LogicalOperator& below) {
  if (expression.GetExpressionType() != duckdb::ExpressionType::BOUND_COLUMN_REF) return std::nullopt;
  const duckdb::ColumnBinding binding = expression.Cast<duckdb::BoundColumnRefExpression>().binding;
  if (below.type == LogicalOperatorType::LOGICAL_PROJECTION) {
    auto& projection = below.Cast<duckdb::LogicalProjection>();
    if (binding.table_index != projection.table_index) return std::nullopt;
    return ColumnOf(*projection.expressions[binding.column_index], *below.children[0]);
  }
  if (below.type == LogicalOperatorType::LOGICAL_FILTER) return ColumnOf(expression, *below.children[0]);
  auto& get = below.Cast<duckdb::LogicalGet>();
  if (binding.table_index != get.table_index) return std::nullopt;
  const duckdb::ColumnIndex& index = get.GetColumnIds()[binding.column_index];
  const auto stored = StoredColumn(BindDataOf(get).table->table()->definition(), index);
  return stored ? *stored : index.GetPrimaryIndex();
}

// The expression above projections and filters, over what lies below them.
void TakeThrough(const LogicalOperator& below, duckdb::unique_ptr<duckdb::Expression>* expression) {
  if (below.type == LogicalOperatorType::LOGICAL_PROJECTION) {
    const auto& projection = below.Cast<duckdb::LogicalProjection>();
    duckdb::ExpressionIterator::VisitExpressionMutable<duckdb::BoundColumnRefExpression>(
        *expression, [&](duckdb::BoundColumnRefExpression& column, duckdb::unique_ptr<duckdb::Expression>& at) {
          if (column.binding.table_index == projection.table_index) {
            at = projection.expressions[column.binding.column_index]->Copy();
          }
        });
  } else if (below.type != LogicalOperatorType::LOGICAL_FILTER) {
    return;
  }
  TakeThrough(*below.children[0], expression);
}

std::optional<int> FindBelow(const IndexedExpressions& expressions, const duckdb::Expression& expression,
                             const LogicalOperator& below) {
  if (!expressions.has_any()) return std::nullopt;
  auto scanned = expression.Copy();
  TakeThrough(below, &scanned);
  return expressions.Find(*scanned);
}

// The column, or the number of the expression, by which an index may have its entries; nothing when there is none.
std::optional<int> IndexedPart(const duckdb::Expression& expression, LogicalOperator& below, const TableImpl& table,
                               const IndexedExpressions& expressions) {
  if (const auto column = ColumnOf(expression, below)) {
    if (*column < table.definition().visible_columns()) return static_cast<int>(*column);
    return std::nullopt;
  }
  return FindBelow(expressions, expression, below);
}

bool FixesColumn(const duckdb::TableFilter& filter) {
  if (filter.filter_type == duckdb::TableFilterType::CONJUNCTION_AND) {
    const auto& children = filter.Cast<duckdb::ConjunctionAndFilter>().child_filters;
    return std::any_of(children.begin(), children.end(), [](const auto& child) { return FixesColumn(*child); });
  }
  return filter.filter_type == duckdb::TableFilterType::CONSTANT_COMPARISON &&
         filter.Cast<duckdb::ConstantFilter>().comparison_type == duckdb::ExpressionType::COMPARE_EQUAL;
}

}  // namespace

std::optional<bool> KeyOrderReversed(const duckdb::vector<duckdb::BoundOrderByNode>& orders, LogicalOperator& below,
                                     duckdb::LogicalGet& get) {
  const TableDefinition& table = BindDataOf(get).table->table()->definition();
  const bool descending = orders[0].type == duckdb::OrderType::DESCENDING;
  // The row id is the encoded key, whether or not the table has a key of its own.
  if (ColumnOf(*orders[0].expression, below) == duckdb::COLUMN_IDENTIFIER_ROW_ID) return descending;
  if (table.has_hidden_row_id() || table.primary_key.empty()) return std::nullopt;
  size_t next = 0;
  for (const uint32_t id : table.primary_key) {
    if (next == orders.size()) break;
    const auto key_column = std::find_if(table.columns.begin(), table.columns.end(),
                                         [&](const ColumnDefinition& column) { return column.id == id; });
    const auto position = static_cast<duckdb::column_t>(key_column - table.columns.begin());
    if (key_column->nullable) return std::nullopt;
    const auto& order = orders[next];
    const bool same_direction = order.type == orders[0].type;
    if (same_direction && ColumnOf(*order.expression, below) == position) {
      ++next;
      continue;
    }
    const auto filter = get.table_filters.filters.find(SqlPosition(table, position));
    if (filter == get.table_filters.filters.end() || !FixesColumn(*filter->second)) return std::nullopt;
  }
  return next > 0 ? std::optional(descending) : std::nullopt;
}

std::optional<IndexOrder> IndexOrderOf(const duckdb::ClientContext& context,
                                       const duckdb::vector<duckdb::BoundOrderByNode>& orders, LogicalOperator& below,
                                       duckdb::LogicalGet& get) {
  const TableImpl& table = *BindDataOf(get).table->table();
  if (table.indexes().empty()) return std::nullopt;
  const IndexedExpressions expressions(context, table, get);
  IndexOrder order;
  order.descending = orders[0].type == duckdb::OrderType::DESCENDING;
  order.nulls_first = orders[0].null_order == duckdb::OrderByNullType::NULLS_FIRST;
  for (const auto& one : orders) {
    const auto column = IndexedPart(*one.expression, below, table, expressions);
    if (!column) return std::nullopt;
    if (one.type != orders[0].type || one.null_order != orders[0].null_order) return std::nullopt;
    order.columns.push_back(*column);
  }
  return order;
}

std::optional<int> NumberOfExpression(const duckdb::ClientContext& context, const duckdb::Expression& expression,
                                      LogicalOperator& below, duckdb::LogicalGet& get) {
  return FindBelow(IndexedExpressions(context, *BindDataOf(get).table->table(), get), expression, below);
}

size_t KeyColumnsUpTo(const duckdb::Expression& expression, LogicalOperator& below, duckdb::LogicalGet& get) {
  const TableDefinition& table = BindDataOf(get).table->table()->definition();
  const auto column = ColumnOf(expression, below);
  if (!column || *column >= table.columns.size()) return 0;
  const auto at = std::ranges::find(table.primary_key, table.columns[*column].id);
  return at == table.primary_key.end() ? 0 : static_cast<size_t>(at - table.primary_key.begin()) + 1;
}

}  // namespace yarrow::sql
