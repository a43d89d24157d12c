#include "sql/scan_pushdown.h"

#include <optional>

#include "sql/filter_paths.h"
#include "sql/sql_scan.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

// The scan whose rows are those of `op`, one for one; or, past filters, some of them in the same order.
enum class Past { kProjections, kFiltersToo };
duckdb::LogicalGet* ScanBelow(LogicalOperator& op, Past past = Past::kProjections) {
  LogicalOperator* below = &op;
  while (below->type == LogicalOperatorType::LOGICAL_PROJECTION ||
         (past == Past::kFiltersToo && below->type == LogicalOperatorType::LOGICAL_FILTER)) {
    below = below->children[0].get();
  }
  if (below->type != LogicalOperatorType::LOGICAL_GET) return nullptr;
  auto& get = below->Cast<duckdb::LogicalGet>();
  return get.function.name == "yarrow_scan" ? &get : nullptr;
}

ScanBindData& BindDataOf(duckdb::LogicalGet& get) {
  return get.bind_data->Cast<ScanBindData>();
}

// Rows that an operator above with that LIMIT and OFFSET can use; nothing when that is no number a scan can count to.
std::optional<int64_t> RowsNeeded(duckdb::idx_t limit, duckdb::idx_t offset) {
  constexpr auto kMost = static_cast<duckdb::idx_t>(INT64_MAX);
  if (limit > kMost || offset > kMost - limit) return std::nullopt;
  return static_cast<int64_t>(limit + offset);
}

void PushLimit(duckdb::LogicalLimit& limit) {
  const auto is_constant = [](const duckdb::BoundLimitNode& node) {
    return node.Type() == duckdb::LimitNodeType::CONSTANT_VALUE;
  };
  const bool has_offset = limit.offset_val.Type() != duckdb::LimitNodeType::UNSET;
  duckdb::LogicalGet* get = ScanBelow(*limit.children[0]);
  if (get == nullptr || !is_constant(limit.limit_val) || (has_offset && !is_constant(limit.offset_val))) return;
  const duckdb::idx_t offset = has_offset ? limit.offset_val.GetConstantValue() : 0;
  if (const auto rows = RowsNeeded(limit.limit_val.GetConstantValue(), offset)) BindDataOf(*get).limit = rows;
}

// The column of the scan's table that an expression above projections and filters is, and nothing but.
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
  return get.GetColumnIds()[binding.column_index].GetPrimaryIndex();
}

bool FixesColumn(const duckdb::TableFilter& filter) {
  if (filter.filter_type == duckdb::TableFilterType::CONJUNCTION_AND) {
    const auto& children = filter.Cast<duckdb::ConjunctionAndFilter>().child_filters;
    return std::any_of(children.begin(), children.end(), [](const auto& child) { return FixesColumn(*child); });
  }
  return filter.filter_type == duckdb::TableFilterType::CONSTANT_COMPARISON &&
         filter.Cast<duckdb::ConstantFilter>().comparison_type == duckdb::ExpressionType::COMPARE_EQUAL;
}

// Whether rows in key order, or in reverse, are in the order asked for: its columns are the key's in turn, all
// ascending or all descending; key columns that a filter holds at one value may be left out, and behind the whole key
// anything may follow. Keys are ordered like their values and are never NULL. (A collation would make the expression
// something else than a column.)
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
    const auto filter = get.table_filters.filters.find(position);
    if (filter == get.table_filters.filters.end() || !FixesColumn(*filter->second)) return std::nullopt;
  }
  return next > 0 ? std::optional(descending) : std::nullopt;
}

// Rows of segments in key order come one by one, which is worth it for the first few.
constexpr int64_t kMostOrderedColdRows = 10000;

// The first rows in key order are those that the Top-N above keeps; it stays and sorts them once more.
void PushTopN(duckdb::LogicalTopN& top) {
  duckdb::LogicalGet* get = ScanBelow(*top.children[0]);
  if (get == nullptr) return;
  const auto reverse = KeyOrderReversed(top.orders, *top.children[0], *get);
  const auto rows = RowsNeeded(top.limit, top.offset);
  if (!reverse || !rows) return;
  if (*rows > kMostOrderedColdRows && HasSegments(BindDataOf(*get))) return;
  ScanBindData& bind = BindDataOf(*get);
  bind.limit = rows;
  bind.reverse = *reverse;
  bind.in_order = true;
}

void PushLimits(LogicalOperator& op) {
  if (op.type == LogicalOperatorType::LOGICAL_LIMIT) PushLimit(op.Cast<duckdb::LogicalLimit>());
  if (op.type == LogicalOperatorType::LOGICAL_TOP_N) PushTopN(op.Cast<duckdb::LogicalTopN>());
  for (auto& child : op.children) PushLimits(*child);
}

// From now on the scan's order is the one that counts, whatever preserve_insertion_order is when the plan runs.
void ReadInKeyOrder(duckdb::LogicalGet& get, bool reverse) {
  BindDataOf(get).reverse = reverse;
  BindDataOf(get).in_order = true;
  get.function.order_preservation_type = duckdb::OrderPreservationType::FIXED_ORDER;
}

// The first rows by key of those that pass a filter: the scan comes to them in this order, so a LIMIT ends it in time.
void LimitInsteadOfTopN(duckdb::unique_ptr<LogicalOperator>* at) {
  auto& top = (*at)->Cast<duckdb::LogicalTopN>();
  duckdb::LogicalGet* get = ScanBelow(*top.children[0], Past::kFiltersToo);
  if (get == nullptr || BindDataOf(*get).limit || HasSegments(BindDataOf(*get))) return;
  const auto reverse = KeyOrderReversed(top.orders, *top.children[0], *get);
  if (!reverse || !RowsNeeded(top.limit, top.offset)) return;
  const auto constant = [](duckdb::idx_t rows) {
    return duckdb::BoundLimitNode::ConstantValue(static_cast<int64_t>(rows));
  };
  auto limit = duckdb::make_uniq<duckdb::LogicalLimit>(constant(top.limit), constant(top.offset));
  limit->children.push_back(std::move(top.children[0]));
  limit->SetEstimatedCardinality(top.estimated_cardinality);
  ReadInKeyOrder(*get, *reverse);
  *at = std::move(limit);
}

// Sorting the result of a query by the key is left out: the result keeps the order of the scan. Elsewhere in a plan
// others may read the scan in pieces, so there the sort stays. True when it was taken out.
bool DropOrderOfResult(duckdb::unique_ptr<LogicalOperator>& plan) {
  duckdb::unique_ptr<LogicalOperator>* at = &plan;
  bool keeps_columns = false;  // somebody above picks the columns of the result
  while ((*at)->type == LogicalOperatorType::LOGICAL_EXPLAIN || (*at)->type == LogicalOperatorType::LOGICAL_LIMIT ||
         (*at)->type == LogicalOperatorType::LOGICAL_PROJECTION) {
    keeps_columns = keeps_columns || (*at)->type == LogicalOperatorType::LOGICAL_PROJECTION;
    at = &(*at)->children[0];
  }
  if ((*at)->type == LogicalOperatorType::LOGICAL_TOP_N) LimitInsteadOfTopN(at);
  if ((*at)->type != LogicalOperatorType::LOGICAL_ORDER_BY) return false;
  auto& order = (*at)->Cast<duckdb::LogicalOrder>();
  if (order.HasProjectionMap() && !keeps_columns) return false;
  duckdb::LogicalGet* get = ScanBelow(*order.children[0], Past::kFiltersToo);
  if (get == nullptr) return false;
  const auto reverse = KeyOrderReversed(order.orders, *order.children[0], *get);
  if (!reverse || HasSegments(BindDataOf(*get))) return false;
  ReadInKeyOrder(*get, *reverse);
  *at = std::move(order.children[0]);
  return true;
}

// EXPLAIN says which keys a scan will visit, as far as the plan tells.
void DescribeScans(duckdb::ClientContext& context, LogicalOperator& op) {
  if (duckdb::LogicalGet* get = op.type == LogicalOperatorType::LOGICAL_GET ? ScanBelow(op) : nullptr) {
    DescribeScan(context, *get);
  }
  for (auto& child : op.children) DescribeScans(context, *child);
}

void Optimize(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& plan) {
  DropMisplacedFilters(*plan);
  PushLimits(*plan);
  if (DropOrderOfResult(plan)) PushLimits(*plan);
  if (plan->type == LogicalOperatorType::LOGICAL_EXPLAIN) DescribeScans(input.context, *plan);
}

}  // namespace

void RegisterScanPushdown(duckdb::DBConfig& config) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = Optimize;
  duckdb::OptimizerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
