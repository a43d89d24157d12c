#include "sql/segment_filters.h"

#include <duckdb/planner/filter/expression_filter.hpp>
#include <duckdb/planner/filter/struct_filter.hpp>

#include <algorithm>
#include <utility>

#include "sql/cold_scan.h"
#include "sql/condition_translation.h"
#include "sql/sql_type.h"

namespace yarrow::sql {
namespace {

using duckdb::TableFilter;
using duckdb::TableFilterType;
using FilterPtr = duckdb::unique_ptr<TableFilter>;

class SegmentFilterChoice {
 public:
  SegmentFilterChoice(const RowColumn& column, const ColdPieces& pieces)
      : SegmentFilterChoice(column.type, HasOtherType(column, pieces)) {}

  // The part of the filter that parquet_scan gets. False when there is another one that must be applied.
  bool Take(const TableFilter& filter, std::vector<FilterPtr>* taken) const {
    if (filter.filter_type == TableFilterType::CONJUNCTION_AND) {
      const auto& children = filter.Cast<duckdb::ConjunctionAndFilter>().child_filters;
      return std::ranges::all_of(children, [&](const auto& child) { return Take(*child, taken); });
    }
    const bool is_optional = filter.filter_type == TableFilterType::OPTIONAL_FILTER;
    // Holding a long list against the bounds of each row group takes longer than reading the row groups.
    if (LongestOptionalList(filter) > kMostValuesToTest || !MeansTheSame(filter)) return is_optional;
    taken->push_back(filter.Copy());
    return true;
  }

 private:
  SegmentFilterChoice(const ColumnType& type, bool has_other_type)
      : column_type_(type),
        type_(ToLogicalType(type)),
        lies_as_itself_(LiesAsItself(type) && !type.is_nested()),
        has_other_type_(has_other_type),
        // "d < 0.5" becomes "d < 1" where segments from before a change of type have integers, or "d = 0.1" a FLOAT.
        may_round_(has_other_type && type.id == TypeId::kDouble) {}

  // Whether a segment has the column otherwise; of a STRUCT, or not at all, since DuckDB tests no default of fields.
  static bool HasOtherType(const RowColumn& column, const ColdPieces& pieces) {
    return std::ranges::any_of(pieces.pieces, [&](const ColdPiece& piece) {
      const cold::ColumnStatistics* stored = piece.segment->info().FindColumn(column.id);
      return stored != nullptr ? stored->type != column.type : column.type.is_nested();
    });
  }

  bool FieldMeansTheSame(const duckdb::StructFilter& filter) const {
    if (has_other_type_ || column_type_.id != TypeId::kStruct) return false;
    const ColumnType& field = column_type_.members()[filter.child_idx].type;
    return SegmentFilterChoice(field, has_other_type_).MeansTheSame(*filter.child_filter);
  }

  bool MeansTheSame(const TableFilter& filter) const {
    if (filter.filter_type == TableFilterType::STRUCT_EXTRACT) {
      return FieldMeansTheSame(filter.Cast<duckdb::StructFilter>());
    }
    if (!lies_as_itself_ && !IsNullTest(filter)) return false;
    switch (filter.filter_type) {
      case TableFilterType::CONSTANT_COMPARISON: {
        const auto& comparison = filter.Cast<duckdb::ConstantFilter>();
        return ComparisonOf(comparison.comparison_type) && IsValue(comparison.constant);
      }
      case TableFilterType::IN_FILTER:
        return std::ranges::all_of(filter.Cast<duckdb::InFilter>().values,
                                   [&](const duckdb::Value& value) { return IsValue(value); });
      case TableFilterType::IS_NULL:
      case TableFilterType::IS_NOT_NULL:
        return true;
      case TableFilterType::CONJUNCTION_AND:
        return AllMeanTheSame(filter.Cast<duckdb::ConjunctionAndFilter>().child_filters);
      case TableFilterType::CONJUNCTION_OR:
        return AllMeanTheSame(filter.Cast<duckdb::ConjunctionOrFilter>().child_filters);
      case TableFilterType::OPTIONAL_FILTER: {
        const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter;
        return child && !has_other_type_ && MeansTheSame(*child);
      }
      case TableFilterType::DYNAMIC_FILTER:
        return IsBoundOfType(filter.Cast<duckdb::DynamicFilter>());
      case TableFilterType::BLOOM_FILTER:  // hashes of the column's values
        return !has_other_type_;
      default:
        return false;
    }
  }

  static bool IsNullTest(const TableFilter& filter) {
    return filter.filter_type == TableFilterType::IS_NULL || filter.filter_type == TableFilterType::IS_NOT_NULL;
  }

  bool AllMeanTheSame(const duckdb::vector<FilterPtr>& filters) const {
    return !filters.empty() && std::ranges::all_of(filters, [&](const auto& child) { return MeansTheSame(*child); });
  }

  bool IsValue(const duckdb::Value& value) const { return value.type() == type_ && !may_round_; }

  // Its value comes while the scan runs, and has the type that it has from the start.
  bool IsBoundOfType(const duckdb::DynamicFilter& filter) const {
    if (!filter.filter_data || has_other_type_) return false;
    const duckdb::lock_guard<duckdb::mutex> lock(filter.filter_data->lock);
    return filter.filter_data->filter && MeansTheSame(*filter.filter_data->filter);
  }

  const ColumnType& column_type_;
  const duckdb::LogicalType type_;
  const bool lies_as_itself_;  // and not as text
  const bool has_other_type_;  // in some segment
  const bool may_round_;
};

FilterPtr AllOf(std::vector<FilterPtr> filters) {
  if (filters.size() == 1) return std::move(filters.front());
  auto all = duckdb::make_uniq<duckdb::ConjunctionAndFilter>();
  for (FilterPtr& filter : filters) all->child_filters.push_back(std::move(filter));
  return all;
}

// Whether all segments have the column, as it is in SQL.
bool LiesAlike(const RowColumn& column, const ColdPieces& pieces) {
  return LiesAsItself(column.type) && std::ranges::all_of(pieces.pieces, [&](const ColdPiece& piece) {
           const cold::ColumnStatistics* stored = piece.segment->info().FindColumn(column.id);
           return stored != nullptr && stored->type == column.type;
         });
}

void AddConditions(const duckdb::TableFunctionInitInput& scan, const RowSchema& table, const ColdPieces& pieces,
                   const std::vector<ColumnExpression>& conditions, duckdb::TableFilterSet* chosen) {
  for (const ColumnExpression& condition : conditions) {
    const auto column = static_cast<duckdb::column_t>(condition.column);
    const auto at = std::ranges::find(scan.column_ids, column);
    if (at == scan.column_ids.end() || !LiesAlike(table.columns()[column], pieces)) continue;
    std::vector<FilterPtr> all;
    FilterPtr& filter = chosen->filters[static_cast<duckdb::idx_t>(at - scan.column_ids.begin())];
    if (filter) all.push_back(std::move(filter));
    all.push_back(duckdb::make_uniq<duckdb::ExpressionFilter>(condition.expression->Copy()));
    filter = AllOf(std::move(all));
  }
}

}  // namespace

std::optional<SegmentFilters> FiltersForParquetScan(const duckdb::TableFunctionInitInput& scan, const RowSchema& table,
                                                    const ColdPieces& pieces,
                                                    const std::vector<ColumnExpression>& conditions) {
  auto chosen = duckdb::make_uniq<duckdb::TableFilterSet>();
  static const duckdb::TableFilterSet none;
  for (const auto& [index, filter] : scan.filters ? scan.filters->filters : none.filters) {
    const duckdb::column_t id = scan.column_ids[index];
    if (duckdb::IsVirtualColumn(id)) return std::nullopt;
    std::vector<FilterPtr> taken;
    if (!SegmentFilterChoice(table.columns()[id], pieces).Take(*filter, &taken)) return std::nullopt;
    if (!taken.empty()) chosen->filters[index] = AllOf(std::move(taken));
  }
  AddConditions(scan, table, pieces, conditions, chosen.get());
  return chosen;
}

}  // namespace yarrow::sql
