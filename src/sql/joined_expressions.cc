#include "sql/joined_expressions.h"

#include <duckdb/execution/operator/join/join_filter_pushdown.hpp>
#include <duckdb/execution/operator/join/physical_comparison_join.hpp>
#include <duckdb/execution/operator/scan/physical_table_scan.hpp>
#include <duckdb/function/aggregate/distributive_function_utils.hpp>
#include <duckdb/function/function_binder.hpp>
#include <duckdb/optimizer/optimizer.hpp>
#include <duckdb/planner/expression/bound_aggregate_expression.hpp>
#include <duckdb/planner/operator/logical_comparison_join.hpp>

#include <utility>
#include <vector>

#include "sql/condition_translation.h"
#include "sql/index_expressions.h"
#include "sql/key_order.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalOperator;

// The one column of a set of filters that has nothing else.
constexpr duckdb::idx_t kOnlyColumn = 0;

// Least and greatest value of the other side. False: values are compared by something else than themselves (COLLATE).
bool AddBounds(duckdb::ClientContext& context, const duckdb::Expression& other, duckdb::JoinFilterPushdownInfo* info) {
  for (const auto& function : {duckdb::MinFunction::GetFunction(), duckdb::MaxFunction::GetFunction()}) {
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> values;
    values.push_back(other.Copy());
    auto bound = duckdb::FunctionBinder(context).BindAggregateFunction(function, std::move(values), nullptr,
                                                                       duckdb::AggregateType::NON_DISTINCT);
    if (bound->children.size() != 1) return false;
    info->min_max_aggregates.push_back(std::move(bound));
  }
  return true;
}

// True when this condition of the join is the one that is asked.
bool AskOf(duckdb::ClientContext& context, duckdb::LogicalComparisonJoin& join, duckdb::idx_t condition) {
  const auto& asked = join.conditions[condition];
  const duckdb::LogicalType& type = asked.left->return_type;
  if (asked.comparison != duckdb::ExpressionType::COMPARE_EQUAL || type.IsNested()) return false;
  LogicalOperator& below = *join.children[0];
  duckdb::LogicalGet* const get = ScanBelow(below, Past::kFiltersToo);
  if (get == nullptr) return false;
  ScanBindData& bind = BindDataOf(*get);
  const auto number = NumberOfExpression(context, *asked.left, below, *get);
  if (!number) return false;

  auto info = duckdb::make_uniq<duckdb::JoinFilterPushdownInfo>();
  info->build_side_has_filter = false;
  info->join_condition.push_back(condition);
  if (!AddBounds(context, *asked.right, info.get())) return false;
  auto filters = duckdb::make_shared_ptr<duckdb::DynamicTableFilterSet>();
  duckdb::JoinFilterPushdownFilter target;
  target.dynamic_filters = filters;
  target.columns.push_back({duckdb::ColumnBinding(get->table_index, kOnlyColumn), type});
  info->probe_info.push_back(std::move(target));
  join.filter_pushdown = std::move(info);
  bind.joined.push_back({*number, std::move(filters)});
  return true;
}

void Ask(duckdb::ClientContext& context, duckdb::LogicalComparisonJoin& join) {
  const bool drops_rows = join.join_type == duckdb::JoinType::INNER || join.join_type == duckdb::JoinType::SEMI;
  if (!drops_rows || join.filter_pushdown) return;
  duckdb::PhysicalComparisonJoin::ReorderConditions(join.conditions);  // as it would be later: they are named by number
  for (duckdb::idx_t i = 0; i < join.conditions.size(); ++i) {
    if (AskOf(context, join, i)) return;
  }
}

}  // namespace

void AskJoinsForExpressions(duckdb::OptimizerExtensionInput& input, LogicalOperator& plan) {
  for (auto& child : plan.children) AskJoinsForExpressions(input, *child);
  if (plan.type == duckdb::LogicalOperatorType::LOGICAL_COMPARISON_JOIN) {
    Ask(input.context, plan.Cast<duckdb::LogicalComparisonJoin>());
  }
}

Predicate ToldByJoins(const ScanBindData& bind, const duckdb::TableFunctionInitInput& input) {
  std::vector<Predicate> told;
  for (const auto& [number, filters] : bind.joined) {
    if (!input.op || !filters->HasFilters()) continue;
    const auto all = filters->GetFinalTableFilters(input.op->Cast<duckdb::PhysicalTableScan>(), nullptr);
    if (!all) continue;
    const auto filter = all->filters.find(kOnlyColumn);
    if (filter == all->filters.end()) continue;
    const ColumnType& type = TypeOfNumber(*bind.table->table(), number);
    told.push_back(TranslateFilter(*filter->second, number, type).value_or(Predicate::True()));
  }
  return Predicate::And(std::move(told));
}

}  // namespace yarrow::sql
