#include "sql/scan_pushdown.h"

#include <duckdb/planner/operator/logical_filter.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "key/key_range.h"
#include "sql/filter_paths.h"
#include "sql/joined_expressions.h"
#include "sql/key_aggregates.h"
#include "sql/key_order.h"
#include "sql/sql_scan.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

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

// Rows of segments in key order come one by one, which is worth it for the first few.
constexpr int64_t kMostOrderedColdRows = 10000;

// The first rows in key order are those that the Top-N above keeps; it stays and sorts them once more.
void PushTopN(const duckdb::ClientContext& context, duckdb::LogicalTopN& top) {
  duckdb::LogicalGet* get = ScanBelow(*top.children[0]);
  if (get == nullptr) return;
  const auto reverse = KeyOrderReversed(top.orders, *top.children[0], *get);
  const auto rows = RowsNeeded(top.limit, top.offset);
  if (!reverse && rows) {
    BindDataOf(*get).index_order = IndexOrderOf(context, top.orders, *top.children[0], *get);
    if (BindDataOf(*get).index_order) BindDataOf(*get).index_order->rows = *rows;
  }
  if (!reverse || !rows) return;
  if (*rows > kMostOrderedColdRows && HasSegments(BindDataOf(*get))) return;
  ScanBindData& bind = BindDataOf(*get);
  bind.limit = rows;
  bind.reverse = *reverse;
  bind.in_order = true;
}

void PushLimits(const duckdb::ClientContext& context, LogicalOperator& op) {
  if (op.type == LogicalOperatorType::LOGICAL_LIMIT) PushLimit(op.Cast<duckdb::LogicalLimit>());
  if (op.type == LogicalOperatorType::LOGICAL_TOP_N) PushTopN(context, op.Cast<duckdb::LogicalTopN>());
  for (auto& child : op.children) PushLimits(context, *child);
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

// Whether so many rows are hot in the range. Deleted ones, which estimates count, are passed over.
bool HasHotRows(const TableImpl& table, const KeyRange& range, uint64_t rows) {
  if (table.store().ApproximateEntries(table.entry().partition, range.lower, range.upper) < rows) return false;
  constexpr uint64_t kMostCounted = 1024;  // takes about as long as the rest of planning
  ScanCursor hot = table.store().Scan(
      {.partition = table.entry().partition, .lower = range.lower, .upper = range.upper, .fill_cache = false});
  for (uint64_t left = std::min(rows, kMostCounted); left > 0; --left) {
    if (!hot.Next()) return false;
  }
  return true;
}

// Whether rows of both tiers lie in long runs by key, so that reading them in key order costs less than sorting them:
// few hot rows lie between those of segments, and few segments between each other.
bool LiesInRuns(const SqlTable& entry) {
  constexpr uint64_t kRowsARun = 64;  // a run costs more than its rows
  constexpr uint64_t kFewRows = 256;  // of which it does not matter how they lie
  const TableImpl& table = *entry.table();
  const std::string& first = table.key_prefix();
  const std::string end = PrefixSuccessor(first);
  const auto manifest = table.cold()->LastKnown();
  uint64_t rows = 0, between = 0;
  std::string_view lowest, highest;
  manifest->index.VisitIn(first, end, [&](const auto& segment) {
    const cold::SegmentInfo& info = segment->info();
    if (rows == 0) lowest = info.first_key();
    if (rows > 0 && info.first_key() <= highest) between += info.rows;
    highest = std::max<std::string_view>(highest, info.last_key);
    rows += info.rows;
    return true;
  });
  if (rows == 0) return false;
  const uint64_t most = std::max(rows / kRowsARun, kFewRows);
  return between <= most && !HasHotRows(table, {std::string(lowest), KeySuccessor(highest)}, most - between + 1);
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
  if (!reverse || (HasSegments(BindDataOf(*get)) && !LiesInRuns(*BindDataOf(*get).table))) return false;
  ReadInKeyOrder(*get, *reverse);
  *at = std::move(order.children[0]);
  return true;
}

// DELETE of all rows: of segments none is read, they are removed as a whole.
void LeaveSegmentsToDelete(LogicalOperator& op) {
  for (auto& child : op.children) LeaveSegmentsToDelete(*child);
  if (op.type != LogicalOperatorType::LOGICAL_DELETE || op.Cast<duckdb::LogicalDelete>().return_chunk) return;
  duckdb::LogicalGet* get = ScanBelow(*op.children[0]);
  if (get == nullptr || !get->table_filters.filters.empty()) return;
  ScanBindData& bind = BindDataOf(*get);
  const TableImpl& table = *bind.table->table();
  if (!table.indexes().empty() || table.has_references())
    return;  // whose entries go with the rows, or who knows of them
  const bool is_filtered = bind.filter.kind() != Predicate::Kind::kTrue || !bind.key_values.empty() || bind.limit;
  if (!is_filtered && !get->extra_info.sample_options) bind.leaves_segments = true;
}

// EXPLAIN says which keys a scan will visit, as far as the plan tells.
void DescribeScans(duckdb::ClientContext& context, LogicalOperator& op) {
  if (duckdb::LogicalGet* get = op.type == LogicalOperatorType::LOGICAL_GET ? ScanBelow(op) : nullptr) {
    DescribeScan(context, *get);
  }
  for (auto& child : op.children) DescribeScans(context, *child);
}

// Makes the position in the scan's list of columns one of those that come out; false if it was.
bool AddOutput(duckdb::LogicalGet& get, duckdb::idx_t position) {
  auto& outputs = get.projection_ids;
  if (outputs.empty() || std::ranges::find(outputs, position) != outputs.end()) return false;
  outputs.push_back(position);
  return true;
}

// The conditions that the scan does not take, over its columns, and taken off it.
duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> TakeOtherFilters(duckdb::LogicalGet& get) {
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> conditions;
  auto& filters = get.table_filters.filters;
  for (auto at = filters.begin(); at != filters.end();) {
    const auto& [id, filter] = *at;
    if (duckdb::IsVirtualColumn(id) || TakesFilter(BindDataOf(get), id, *filter)) {
      ++at;
      continue;
    }
    const auto& columns = get.GetColumnIds();
    const auto of_id = [id = id](const duckdb::ColumnIndex& column) { return column.GetPrimaryIndex() == id; };
    const auto position = static_cast<duckdb::idx_t>(std::ranges::find_if(columns, of_id) - columns.begin());
    const duckdb::BoundColumnRefExpression column(get.returned_types[id],
                                                  duckdb::ColumnBinding(get.table_index, position));
    // An optional one is of a limit or join above, which tests for itself.
    if (filter->filter_type != duckdb::TableFilterType::OPTIONAL_FILTER) {
      conditions.push_back(filter->ToExpression(column));
      AddOutput(get, position);
    }
    at = filters.erase(at);
  }
  return conditions;
}

// Filters that the scan does not take go above it.
void LiftOtherFilters(duckdb::unique_ptr<LogicalOperator>& op) {
  for (auto& child : op->children) LiftOtherFilters(child);
  duckdb::LogicalGet* get = op->type == LogicalOperatorType::LOGICAL_GET ? ScanBelow(*op) : nullptr;
  if (get == nullptr) return;
  const duckdb::idx_t outputs = get->projection_ids.size();
  auto conditions = TakeOtherFilters(*get);
  if (conditions.empty()) return;
  auto filter = duckdb::make_uniq<duckdb::LogicalFilter>();
  filter->expressions = std::move(conditions);
  if (get->projection_ids.size() > outputs) {  // what only the filter reads ends there
    for (duckdb::idx_t i = 0; i < outputs; ++i) filter->projection_map.push_back(i);
  }
  if (get->has_estimated_cardinality) filter->SetEstimatedCardinality(get->estimated_cardinality);
  filter->children.push_back(std::move(op));
  op = std::move(filter);
}

void Optimize(duckdb::OptimizerExtensionInput& input, duckdb::unique_ptr<LogicalOperator>& plan) {
  LiftOtherFilters(plan);
  DropMisplacedFilters(*plan);
  PushLimits(input.context, *plan);
  if (DropOrderOfResult(plan)) PushLimits(input.context, *plan);
  ReadEndsForKeyAggregates(input, *plan);
  AskJoinsForExpressions(input, *plan);
  LeaveSegmentsToDelete(*plan);
  if (plan->type == LogicalOperatorType::LOGICAL_EXPLAIN) DescribeScans(input.context, *plan);
}

}  // namespace

void RegisterScanPushdown(duckdb::DBConfig& config) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = Optimize;
  duckdb::OptimizerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
