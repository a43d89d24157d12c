#include "sql/scan_filters.h"

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/execution/operator/scan/physical_table_scan.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "scan/cold_pieces.h"
#include "sql/condition_translation.h"
#include "sql/row_id_filter.h"
#include "sql/sql_error.h"
#include "sql/sql_scan.h"
#include "table/index_lookup.h"

namespace yarrow::sql {
namespace {

using duckdb::ClientContext;
using duckdb::TableFunctionInitInput;

// Whether so many values of a column, which a join hands down, are better looked up than all rows read. A lookup takes
// about as long as reading 25 hot rows, or as many cold ones as are about in a page.
bool PaysToLookUp(size_t values, duckdb::column_t id, const SqlTable& entry) {
  constexpr size_t kHotRowsALookup = 25;
  if (values <= kMostValuesToTest) return true;
  const TableImpl& table = *entry.table();
  const bool leads_index = std::ranges::any_of(
      table.indexes(), [&](const TableIndex& index) { return index.keys.columns().front() == static_cast<int>(id); });
  // Of values that lead to many rows each, each row is tested after all.
  constexpr size_t kMostIndexedValues = 1000;
  const bool by_index = leads_index && values <= kMostIndexedValues;
  if (static_cast<int>(id) != table.row_schema()->key_columns().front() && !by_index) return false;
  const uint64_t cold_rows = entry.CountColdRows();
  // parquet_scan is not given a long list, so it costs nothing when the entries turn out to be too many.
  if (by_index && values * kColdRowsAnEntry <= cold_rows) return true;
  return values * kHotRowsALookup <= entry.EstimateHotRows() || values * kColdRowsALookup <= cold_rows;
}

// Adds one of DuckDB's filters to a request. False when that cannot be.
bool AddFilter(const duckdb::TableFilter& filter, duckdb::column_t id, const SqlTable& entry,
               std::vector<Predicate>* conjuncts, ScanRequest* request) {
  const TableImpl& table = *entry.table();
  if (id == duckdb::COLUMN_IDENTIFIER_ROW_ID) {
    auto ranges = RowIdRanges(filter, table);
    if (!ranges) return filter.filter_type == duckdb::TableFilterType::OPTIONAL_FILTER;
    request->keys = request->keys ? Intersect(*request->keys, *ranges) : *std::move(ranges);
    return true;
  }
  if (duckdb::IsVirtualColumn(id)) return filter.filter_type == duckdb::TableFilterType::OPTIONAL_FILTER;
  const size_t most_values =
      PaysToLookUp(LongestOptionalList(filter), id, entry) ? std::numeric_limits<size_t>::max() : kMostValuesToTest;
  auto predicate = TranslateFilter(filter, static_cast<int>(id), table.definition().columns[id].type, most_values);
  if (predicate) conjuncts->push_back(*std::move(predicate));
  return predicate.has_value();
}

// What the parameters of a prepared statement are this time says which rows are read.
void AddKeyValues(ClientContext& context, const ScanBindData& bind, std::vector<Predicate>* conjuncts) {
  for (const ColumnExpression& key : bind.key_values) {
    const duckdb::Value value = duckdb::ExpressionExecutor::EvaluateScalar(context, *key.expression, true);
    if (value.IsNull()) {
      conjuncts->push_back(Predicate::False());
      return;
    }
    const ColumnType& type = bind.table->table()->definition().columns[static_cast<size_t>(key.column)].type;
    if (auto equal = TranslateEquality(value, key.column, type)) conjuncts->push_back(*std::move(equal));
  }
}

const std::map<duckdb::idx_t, duckdb::unique_ptr<duckdb::TableFilter>>& FiltersOf(const TableFunctionInitInput& input) {
  static const std::map<duckdb::idx_t, duckdb::unique_ptr<duckdb::TableFilter>> none;
  return input.filters ? input.filters->filters : none;
}

}  // namespace

const duckdb::TableFilterSet& PlannedFilters(const TableFunctionInitInput& input) {
  static const duckdb::TableFilterSet none;
  if (!input.op) return input.filters ? *input.filters : none;
  const auto& filters = input.op->Cast<duckdb::PhysicalTableScan>().table_filters;
  return filters ? *filters : none;
}

void AddPlannedFilter(const duckdb::TableFilter& filter, duckdb::column_t id, const SqlTable& entry,
                      std::vector<Predicate>* conjuncts, ScanRequest* request) {
  if (AddFilter(filter, id, entry, conjuncts, request)) return;
  throw duckdb::NotImplementedException("Table " + entry.table()->definition().QualifiedName() + ": the filter " +
                                        filter.ToString("column") + " cannot be applied");
}

void TakeFilters(ClientContext& context, const TableFunctionInitInput& input, RunTimeFilter* run_time_filter,
                 ScanRequest* request) {
  const auto& bind = input.bind_data->Cast<ScanBindData>();
  const SqlTable& entry = *bind.table;
  std::vector<Predicate> conjuncts{bind.filter};
  AddKeyValues(context, bind, &conjuncts);
  const duckdb::TableFilterSet& planned = PlannedFilters(input);
  for (const auto& [index, filter] : FiltersOf(input)) {
    const duckdb::column_t id = input.column_ids[index];
    // Joins test what they have added at run time again.
    if (!AddFilter(*filter, id, entry, &conjuncts, request)) {
      const auto own = planned.filters.find(index);
      if (own != planned.filters.end()) AddPlannedFilter(*own->second, id, entry, &conjuncts, request);
    }
    if (!duckdb::IsVirtualColumn(id)) {
      run_time_filter->Add(*filter, static_cast<int>(id), entry.table()->definition().columns[id].type);
    }
  }
  request->predicate = Predicate::And(std::move(conjuncts));
}

}  // namespace yarrow::sql
