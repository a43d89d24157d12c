#include "sql/filter_paths.h"

#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/operator/logical_comparison_join.hpp>
#include <duckdb/planner/operator/logical_distinct.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include "sql/sql_scan.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;
using duckdb::TableFilterType;
using BoundPtr = duckdb::shared_ptr<duckdb::DynamicFilterData>;

// What stands between a filter's maker and a scan.
struct Passed {
  bool chooses_rows = false;  // LIMIT, Top-N, DISTINCT ON: fewer rows in, others out
  bool adds_rows = false;     // RIGHT and FULL JOIN: rows come out that had a partner
  bool has_try_cast = false;  // values become NULL
};

bool HasTryCast(const duckdb::Expression& expression) {
  if (expression.GetExpressionClass() == duckdb::ExpressionClass::BOUND_CAST &&
      expression.Cast<duckdb::BoundCastExpression>().try_cast) {
    return true;
  }
  bool found = false;
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::Expression& child) { found = found || HasTryCast(child); });
  return found;
}

void Pass(const LogicalOperator& op, Passed* passed) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_LIMIT:
    case LogicalOperatorType::LOGICAL_TOP_N:
      passed->chooses_rows = true;
      break;
    case LogicalOperatorType::LOGICAL_DISTINCT:
      passed->chooses_rows |= op.Cast<duckdb::LogicalDistinct>().distinct_type == duckdb::DistinctType::DISTINCT_ON;
      break;
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_ANY_JOIN:
      switch (op.Cast<duckdb::LogicalJoin>().join_type) {
        case duckdb::JoinType::RIGHT:
        case duckdb::JoinType::OUTER:
        case duckdb::JoinType::RIGHT_ANTI:
          passed->adds_rows = true;
          break;
        default:
          break;
      }
      break;
    default:
      break;
  }
  for (const auto& expression : op.expressions) passed->has_try_cast |= HasTryCast(*expression);
}

template <class Visit>
void VisitScans(LogicalOperator& op, Passed passed, const Visit& visit) {
  if (op.type == LogicalOperatorType::LOGICAL_GET) {
    visit(op.Cast<duckdb::LogicalGet>(), passed);
    return;
  }
  Pass(op, &passed);
  for (auto& child : op.children) VisitScans(*child, passed, visit);
}

// Whether nothing is left of the filter without the bound.
bool DropBound(duckdb::TableFilter& filter, const BoundPtr& bound) {
  switch (filter.filter_type) {
    case TableFilterType::DYNAMIC_FILTER:
      return filter.Cast<duckdb::DynamicFilter>().filter_data == bound;
    case TableFilterType::OPTIONAL_FILTER: {
      const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
      return child && DropBound(*child, bound);
    }
    case TableFilterType::CONJUNCTION_OR: {  // IS NULL OR the bound
      auto& children = filter.Cast<duckdb::ConjunctionOrFilter>().child_filters;
      return std::ranges::any_of(children, [&](auto& child) { return DropBound(*child, bound); });
    }
    case TableFilterType::CONJUNCTION_AND: {
      auto& children = filter.Cast<duckdb::ConjunctionAndFilter>().child_filters;
      for (auto at = children.begin(); at != children.end();) {
        at = DropBound(**at, bound) ? children.erase(at) : at + 1;
      }
      return children.empty();
    }
    default:
      return false;
  }
}

void DropBoundsOf(duckdb::LogicalTopN& top) {
  if (!top.dynamic_filter) return;
  VisitScans(*top.children[0], {}, [&](duckdb::LogicalGet& get, const Passed& passed) {
    if (!passed.chooses_rows && !passed.adds_rows && !passed.has_try_cast) return;
    auto& filters = get.table_filters.filters;
    for (auto at = filters.begin(); at != filters.end();) {
      at = DropBound(*at->second, top.dynamic_filter) ? filters.erase(at) : std::next(at);
    }
  });
}

void DropFiltersOf(duckdb::LogicalComparisonJoin& join) {
  if (!join.filter_pushdown) return;
  auto& probes = join.filter_pushdown->probe_info;
  VisitScans(*join.children[0], {}, [&](duckdb::LogicalGet& get, const Passed& passed) {
    if (!passed.chooses_rows || !get.dynamic_filters) return;
    for (auto at = probes.begin(); at != probes.end();) {
      at = at->dynamic_filters == get.dynamic_filters ? probes.erase(at) : at + 1;
    }
  });
}

// What is left of the filter; null: nothing.
duckdb::unique_ptr<duckdb::TableFilter> WithoutOptional(const duckdb::TableFilter& filter) {
  if (filter.filter_type == TableFilterType::OPTIONAL_FILTER) return nullptr;
  if (filter.filter_type != TableFilterType::CONJUNCTION_AND) return filter.Copy();
  auto all = duckdb::make_uniq<duckdb::ConjunctionAndFilter>();
  for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) {
    if (auto left = WithoutOptional(*child)) all->child_filters.push_back(std::move(left));
  }
  if (all->child_filters.empty()) return nullptr;
  return all;
}

void DropFrom(LogicalOperator& op) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_TOP_N:
      DropBoundsOf(op.Cast<duckdb::LogicalTopN>());
      break;
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_DELIM_JOIN:
      DropFiltersOf(op.Cast<duckdb::LogicalComparisonJoin>());
      break;
    default:
      break;
  }
  for (auto& child : op.children) DropFrom(*child);
}

}  // namespace

void DropMisplacedFilters(LogicalOperator& plan) {
  DropFrom(plan);
  VisitScans(plan, {}, [](duckdb::LogicalGet& get, const Passed&) {
    if (get.function.name == "yarrow_scan") get.bind_data->Cast<ScanBindData>().has_placed_filters = true;
  });
}

duckdb::unique_ptr<duckdb::TableFilterSet> WithoutOptionalFilters(const duckdb::TableFilterSet& filters) {
  auto left = duckdb::make_uniq<duckdb::TableFilterSet>();
  for (const auto& [index, filter] : filters.filters) {
    if (auto kept = WithoutOptional(*filter)) left->filters[index] = std::move(kept);
  }
  return left;
}

}  // namespace yarrow::sql
