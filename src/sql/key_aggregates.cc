#include "sql/key_aggregates.h"

#include <duckdb/optimizer/optimizer.hpp>
#include <duckdb/planner/expression/bound_aggregate_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/logical_operator_visitor.hpp>
#include <duckdb/planner/operator/logical_aggregate.hpp>
#include <duckdb/planner/operator/logical_set_operation.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sql/key_order.h"
#include "sql/stored_columns.h"

namespace yarrow::sql {
namespace {

using duckdb::BoundAggregateExpression;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

// What becomes ranges of keys.
bool IsByValues(const duckdb::TableFilter& filter) {
  const auto all = [](const auto& children) {
    return std::ranges::all_of(children, [](const auto& child) { return IsByValues(*child); });
  };
  switch (filter.filter_type) {
    case duckdb::TableFilterType::CONSTANT_COMPARISON:
    case duckdb::TableFilterType::IN_FILTER:
    case duckdb::TableFilterType::IS_NOT_NULL:
      return true;
    case duckdb::TableFilterType::CONJUNCTION_AND:
      return all(filter.Cast<duckdb::ConjunctionAndFilter>().child_filters);
    case duckdb::TableFilterType::CONJUNCTION_OR:
      return all(filter.Cast<duckdb::ConjunctionOrFilter>().child_filters);
    default:
      return false;
  }
}

// Whether all filters are on the first `columns` columns of the key, where they say in which range of keys the rows are
// that pass. Others may leave few rows, which reading in key order would come to late.
bool IsFilteredByKeyOnly(duckdb::LogicalGet& get, size_t columns) {
  const ScanBindData& bind = BindDataOf(get);
  const TableDefinition& table = bind.table->table()->definition();
  if (bind.filter.kind() != Predicate::Kind::kTrue) return false;
  const auto end = table.primary_key.begin() + static_cast<ptrdiff_t>(columns);
  return std::ranges::all_of(get.table_filters.filters, [&](const auto& filter) {
    const auto column = StoredColumn(table, filter.first);
    return column && IsByValues(*filter.second) &&
           std::find(table.primary_key.begin(), end, table.columns[*column].id) != end;
  });
}

// Which ends of the key order the aggregates ask for; neither: another thing is asked for, too.
struct Ends {
  bool first = false;
  bool last = false;
  size_t columns = SIZE_MAX;  // of the key: up to the first one asked for
};

// Whether an aggregate is the max (true) or min of an expression; nothing: neither.
std::optional<bool> IsEnd(const duckdb::Expression& expression) {
  if (expression.GetExpressionClass() != duckdb::ExpressionClass::BOUND_AGGREGATE) return std::nullopt;
  const auto& asked = expression.Cast<BoundAggregateExpression>();
  const std::string& name = asked.function.name;
  const bool is_end = (name == "min" || name == "max") && asked.children.size() == 1;
  if (!is_end || asked.filter || asked.order_bys) return std::nullopt;
  // DuckDB's min and max of a TIMETZ go by the local time, and its ORDER BY, as keys do, by the moment.
  if (asked.children[0]->return_type.id() == duckdb::LogicalTypeId::TIME_TZ) return std::nullopt;
  return name == "max";
}

Ends EndsOf(duckdb::LogicalAggregate& aggregate, duckdb::LogicalGet& get) {
  Ends ends;
  for (const auto& expression : aggregate.expressions) {
    const auto last = IsEnd(*expression);
    if (!last) return {};
    const auto& asked = expression->Cast<BoundAggregateExpression>();
    duckdb::vector<duckdb::BoundOrderByNode> order;
    order.emplace_back(duckdb::OrderType::ASCENDING, duckdb::OrderByNullType::NULLS_LAST, asked.children[0]->Copy());
    if (!KeyOrderReversed(order, *aggregate.children[0], get)) return {};
    ends.columns = std::min(ends.columns, KeyColumnsUpTo(*asked.children[0], *aggregate.children[0], get));
    (*last ? ends.last : ends.first) = true;
  }
  return ends;
}

void ReadEnd(duckdb::LogicalGet& get, bool last) {
  ScanBindData& bind = BindDataOf(get);
  bind.limit = 1;
  bind.in_order = true;
  bind.reverse = last;
}

using Renumbered = std::map<duckdb::idx_t, duckdb::idx_t>;

// Gives scan and projections of a copied plan numbers of their own.
void Renumber(duckdb::Binder& binder, LogicalOperator& op, Renumbered* tables) {
  for (auto& child : op.children) Renumber(binder, *child, tables);
  duckdb::LogicalOperatorVisitor::EnumerateExpressions(op, [&](duckdb::unique_ptr<duckdb::Expression>* expression) {
    duckdb::ExpressionIterator::VisitExpressionMutable<duckdb::BoundColumnRefExpression>(
        *expression, [&](duckdb::BoundColumnRefExpression& column, duckdb::unique_ptr<duckdb::Expression>&) {
          if (const auto at = tables->find(column.binding.table_index); at != tables->end()) {
            column.binding.table_index = at->second;
          }
        });
  });
  const auto renumber = [&](duckdb::idx_t& index) {
    const duckdb::idx_t made = binder.GenerateTableIndex();
    tables->emplace(std::exchange(index, made), made);
  };
  if (op.type == LogicalOperatorType::LOGICAL_GET) renumber(op.Cast<duckdb::LogicalGet>().table_index);
  if (op.type == LogicalOperatorType::LOGICAL_PROJECTION) renumber(op.Cast<duckdb::LogicalProjection>().table_index);
}

// The first row and the last one, below the aggregate.
void ReadBothEnds(duckdb::OptimizerExtensionInput& input, duckdb::LogicalAggregate& aggregate) {
  duckdb::Binder& binder = input.optimizer.binder;
  auto& first = aggregate.children[0];
  duckdb::unique_ptr<LogicalOperator> last = first->Copy(input.context);
  Renumbered tables;
  Renumber(binder, *last, &tables);
  ReadEnd(*ScanBelow(*first), /*last=*/false);
  ReadEnd(*ScanBelow(*last), /*last=*/true);
  const auto columns = first->GetColumnBindings();
  const duckdb::idx_t number = binder.GenerateTableIndex();
  for (auto& expression : aggregate.expressions) {
    auto& column = expression->Cast<BoundAggregateExpression>().children[0]->Cast<duckdb::BoundColumnRefExpression>();
    const auto at = std::find(columns.begin(), columns.end(), column.binding);
    column.binding = {number, static_cast<duckdb::idx_t>(at - columns.begin())};
  }
  auto both = duckdb::make_uniq<duckdb::LogicalSetOperation>(number, columns.size(), std::move(first), std::move(last),
                                                             LogicalOperatorType::LOGICAL_UNION, /*setop_all=*/true);
  both->SetEstimatedCardinality(2);
  both->ResolveOperatorTypes();
  first = std::move(both);
}

// Where an index has the ends of the only column or expression that is asked for, they are read from there.
void ReadEndsOfIndex(const duckdb::ClientContext& context, duckdb::LogicalAggregate& aggregate,
                     duckdb::LogicalGet& get) {
  std::optional<IndexOrder> ends;
  for (const auto& expression : aggregate.expressions) {
    const auto last = IsEnd(*expression);
    if (!last) return;
    duckdb::vector<duckdb::BoundOrderByNode> order;
    order.emplace_back(*last ? duckdb::OrderType::DESCENDING : duckdb::OrderType::ASCENDING,
                       duckdb::OrderByNullType::NULLS_LAST,
                       expression->Cast<BoundAggregateExpression>().children[0]->Copy());
    auto next = IndexOrderOf(context, order, *aggregate.children[0], get);
    if (!next || (ends && ends->columns != next->columns)) return;
    next->both_ends = ends && (ends->both_ends || ends->descending != next->descending);
    ends = std::move(next);
  }
  ends->rows = 1;
  BindDataOf(get).index_order = std::move(ends);
}

void ReadEnds(duckdb::OptimizerExtensionInput& input, duckdb::LogicalAggregate& aggregate) {
  if (!aggregate.groups.empty() || aggregate.grouping_sets.size() > 1 || aggregate.expressions.empty()) return;
  duckdb::LogicalGet* const get = ScanBelow(*aggregate.children[0]);
  if (get == nullptr || BindDataOf(*get).limit) return;
  const Ends ends = EndsOf(aggregate, *get);
  if (!(ends.first || ends.last)) return ReadEndsOfIndex(input.context, aggregate, *get);
  if (!IsFilteredByKeyOnly(*get, ends.columns)) return;
  if (ends.first && ends.last) return ReadBothEnds(input, aggregate);
  ReadEnd(*get, ends.last);
}

}  // namespace

void ReadEndsForKeyAggregates(duckdb::OptimizerExtensionInput& input, LogicalOperator& plan) {
  for (auto& child : plan.children) ReadEndsForKeyAggregates(input, *child);
  if (plan.type == LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY) {
    ReadEnds(input, plan.Cast<duckdb::LogicalAggregate>());
  }
}

}  // namespace yarrow::sql
