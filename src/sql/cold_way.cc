#include "sql/cold_way.h"

#include <algorithm>
#include <vector>

#include "sql/cold_scan.h"
#include "sql/ordered_scan.h"
#include "sql/segment_file_system.h"
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
  if (cold.are_looked_up || !MayReadSegmentFiles(context)) return false;
  std::vector<duckdb::column_t> ids(input.column_ids.begin(), input.column_ids.end());
  std::ranges::sort(ids);
  if (std::ranges::adjacent_find(ids) != ids.end()) return false;
  return std::ranges::all_of(ids, [&](duckdb::column_t id) {
    if (duckdb::IsVirtualColumn(id)) return id == duckdb::COLUMN_IDENTIFIER_EMPTY;
    return IsReadByParquetScan(plan.source.row_schema->columns()[id].type);
  });
}

}  // namespace

ColdChoice ChooseColdWay(duckdb::ClientContext& context, const duckdb::TableFunctionInitInput& scan,
                         const ScanPlan& plan, const ColdPieces& cold) {
  if (IsNumberAsked(scan, plan)) return {.way = ColdWay::kCounted};
  if (OrderedScan::CanRead(scan) && !cold.are_looked_up) return {.way = ColdWay::kInOrder};
  if (!CanParquetScan(context, scan, plan, cold)) return {};
  auto filters =
      FiltersForParquetScan(scan, *plan.source.row_schema, cold, scan.bind_data->Cast<ScanBindData>().cold_conditions);
  if (!filters) return {};
  return {.way = ColdWay::kByScan, .filters = *std::move(filters)};
}

}  // namespace yarrow::sql
