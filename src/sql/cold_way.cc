#include "sql/cold_way.h"

#include <duckdb/main/settings.hpp>

#include <algorithm>
#include <vector>

#include "sql/cold_scan.h"
#include "sql/sql_scan.h"

namespace yarrow::sql {
namespace {

bool IsNumberAsked(const duckdb::TableFunctionInitInput& input, const ScanPlan& plan) {
  return !plan.predicate && (!input.filters || input.filters->filters.empty()) &&
         std::ranges::all_of(input.column_ids,
                             [](duckdb::column_t id) { return id == duckdb::COLUMN_IDENTIFIER_EMPTY; });
}

// parquet_scan knows neither keys nor their order, applies DuckDB's filters only and reads each column once.
bool CanParquetScan(duckdb::ClientContext& context, const duckdb::TableFunctionInitInput& input, const ScanPlan& plan,
                    const ColdPieces& cold) {
  const auto& bind = input.bind_data->Cast<ScanBindData>();
  if (bind.in_order || bind.filter.kind() != Predicate::Kind::kTrue || !bind.key_values.empty()) return false;
  if (ReadsSingleKeys(plan) || !duckdb::Settings::Get<duckdb::EnableExternalAccessSetting>(context)) return false;
  std::vector<duckdb::column_t> ids(input.column_ids.begin(), input.column_ids.end());
  std::ranges::sort(ids);
  if (std::ranges::adjacent_find(ids) != ids.end()) return false;
  bool rounds = false;
  ForEachFilter(input.filters, input.column_ids, [&](const duckdb::TableFilter&, duckdb::column_t id) {
    rounds |= !duckdb::IsVirtualColumn(id) && MayRoundFilters(cold, plan.source.row_schema->columns()[id]);
  });
  if (rounds) return false;
  return std::ranges::all_of(ids, [&](duckdb::column_t id) {
    if (duckdb::IsVirtualColumn(id)) return id == duckdb::COLUMN_IDENTIFIER_EMPTY;
    return IsReadByParquetScan(plan.source.row_schema->columns()[id].type);
  });
}

}  // namespace

ColdWay ChooseColdWay(duckdb::ClientContext& context, const duckdb::TableFunctionInitInput& scan, const ScanPlan& plan,
                      const ColdPieces& cold) {
  if (IsNumberAsked(scan, plan)) return ColdWay::kCounted;
  return CanParquetScan(context, scan, plan, cold) ? ColdWay::kByScan : ColdWay::kAsRows;
}

}  // namespace yarrow::sql
