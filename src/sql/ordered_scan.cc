#include "sql/ordered_scan.h"

#include <arrow/record_batch.h>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>

#include <algorithm>
#include <utility>

#include "sql/batch_vectors.h"
#include "sql/filter_paths.h"
#include "sql/scan_filters.h"
#include "sql/sql_error.h"
#include "sql/sql_scan.h"
#include "sql/sql_type.h"

namespace yarrow::sql {
namespace {

using duckdb::TableFunctionInitInput;

constexpr int64_t kRowsAVector = STANDARD_VECTOR_SIZE;

// The columns that the scan gives, by position in the table.
std::vector<duckdb::column_t> OutputIds(const TableFunctionInitInput& scan) {
  if (scan.projection_ids.empty()) return {scan.column_ids.begin(), scan.column_ids.end()};
  std::vector<duckdb::column_t> ids;
  for (const duckdb::idx_t i : scan.projection_ids) ids.push_back(scan.column_ids[i]);
  return ids;
}

// What must be true of each row, over columns at those positions; null: nothing.
duckdb::unique_ptr<duckdb::Expression> FilterOf(const TableFunctionInitInput& scan, const std::vector<int>& columns,
                                                const std::vector<ColumnType>& types) {
  duckdb::unique_ptr<duckdb::Expression> filter;
  const auto filters = WithoutOptionalFilters(PlannedFilters(scan));
  for (const auto& [index, one] : filters->filters) {
    const duckdb::column_t id = scan.column_ids[index];
    if (duckdb::IsVirtualColumn(id)) continue;  // of row ids, which are key ranges of the plan
    const auto at = static_cast<size_t>(std::ranges::find(columns, static_cast<int>(id)) - columns.begin());
    const duckdb::BoundReferenceExpression column(ToLogicalType(types[at]), at);
    auto test = one->ToExpression(column);
    filter = filter ? duckdb::make_uniq<duckdb::BoundConjunctionExpression>(duckdb::ExpressionType::CONJUNCTION_AND,
                                                                            std::move(filter), std::move(test))
                    : std::move(test);
  }
  return filter;
}

}  // namespace

bool OrderedScan::CanRead(const TableFunctionInitInput& scan) {
  const auto& bind = scan.bind_data->Cast<ScanBindData>();
  if (!bind.in_order || bind.filter.kind() != Predicate::Kind::kTrue || !bind.key_values.empty()) return false;
  const bool takes_few = bind.limit && *bind.limit <= kRowsAVector;
  const auto ids = OutputIds(scan);
  return !takes_few && std::ranges::find(ids, duckdb::COLUMN_IDENTIFIER_ROW_ID) == ids.end();
}

std::vector<int> OrderedScan::FilterColumns(const TableFunctionInitInput& scan) {
  const auto outputs = OutputIds(scan);
  std::vector<int> columns;
  for (const duckdb::column_t id : scan.column_ids) {
    const bool is_output = std::ranges::find(outputs, id) != outputs.end();
    if (!is_output && !duckdb::IsVirtualColumn(id)) columns.push_back(static_cast<int>(id));
  }
  return columns;
}

OrderedScan::OrderedScan(const TableFunctionInitInput& scan, std::shared_ptr<const ScanPlan> plan, Snapshot snapshot,
                         std::shared_ptr<const ColdPieces> cold)
    : plan_(std::move(plan)), snapshot_(std::move(snapshot)), cold_(std::move(cold)) {
  for (const int column : plan_->decoded->columns()) {
    types_.push_back(plan_->source.row_schema->columns()[static_cast<size_t>(column)].type);
  }
  filter_ = FilterOf(scan, plan_->decoded->columns(), types_);
}

OrderedReader::OrderedReader(duckdb::ClientContext& context, const OrderedScan& scan, ScanCounters* counters)
    : context_(context), scan_(scan), scanner_(scan.plan_, scan.snapshot_, counters, &context.interrupted, scan.cold_) {
  if (!scan.filter_) return;
  duckdb::vector<duckdb::LogicalType> types;
  for (const ColumnType& type : scan.types_) types.push_back(ToLogicalType(type));
  tested_.InitializeEmpty(types);
  filter_columns_.Initialize(context, types);
  executor_ = std::make_unique<duckdb::ExpressionExecutor>(context, *scan.filter_);
}

void OrderedReader::Start(const Morsel& morsel) {
  batch_.reset();
  Check(scanner_.Start(morsel));
}

int64_t OrderedReader::Next(int64_t wanted, const std::vector<duckdb::Vector*>& outputs, duckdb::DataChunk& chunk) {
  for (;;) {
    if (context_.interrupted) throw duckdb::InterruptException();
    if (batch_ == nullptr) {
      auto next = scanner_.Next(std::min(wanted, scan_.plan_->batch_size));
      if (context_.interrupted) throw duckdb::InterruptException();
      batch_ = Check(std::move(next));
      next_ = 0;
      if (batch_ == nullptr) return 0;
    }
    const int64_t rows = std::min({batch_->num_rows() - next_, kRowsAVector, wanted});
    std::vector<duckdb::Vector*> vectors = outputs;
    if (executor_) filter_columns_.Reset();
    for (size_t i = outputs.size(); i < scan_.types_.size(); ++i) vectors.push_back(&filter_columns_.data[i]);
    Check(FillVectors(*batch_, scan_.types_, next_, rows, vectors));
    next_ += rows;
    if (next_ == batch_->num_rows()) batch_.reset();
    const int64_t passed = executor_ ? Filter(rows, vectors, chunk) : rows;
    chunk.SetCardinality(static_cast<duckdb::idx_t>(passed));
    if (passed > 0) return passed;
    chunk.Reset();
  }
}

// Leaves the rows that pass in the chunk.
int64_t OrderedReader::Filter(int64_t rows, const std::vector<duckdb::Vector*>& vectors, duckdb::DataChunk& chunk) {
  for (size_t i = 0; i < vectors.size(); ++i) tested_.data[i].Reference(*vectors[i]);
  tested_.SetCardinality(static_cast<duckdb::idx_t>(rows));
  duckdb::SelectionVector passed(STANDARD_VECTOR_SIZE);
  const duckdb::idx_t count = executor_->SelectExpression(tested_, passed);
  if (count > 0 && count < static_cast<duckdb::idx_t>(rows)) chunk.Slice(passed, count);
  return static_cast<int64_t>(count);
}

}  // namespace yarrow::sql
