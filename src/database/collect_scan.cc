#include "database/collect_scan.h"

#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "key/key_range.h"
#include "row/row_layout.h"
#include "row/row_reader.h"
#include "scan/row_walker.h"
#include "type/type_traits.h"
#include "type/value_array.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using arrow::Status;
using RowMap = std::map<std::string, Value>;

struct CollectedRow {
  bool deleted = false;
  RowMap values;
};

template <class Cursor>
arrow::Result<std::vector<CollectedRow>> CollectRows(const RowSchema& schema, Cursor cursor) {
  std::vector<CollectedRow> rows;
  while (cursor.Next()) {
    ARROW_ASSIGN_OR_RAISE(std::vector<Value> values, ReadColumns(schema, cursor.key(), cursor.value()));
    CollectedRow row;
    row.deleted = IsDeletedRow(cursor.value());
    for (size_t i = 0; i < values.size(); ++i) row.values.emplace(schema.columns()[i].name, std::move(values[i]));
    rows.push_back(std::move(row));
  }
  ARROW_RETURN_NOT_OK(cursor.status());
  return rows;
}

struct CollectTaker {
  const RowSchema& schema;
  std::vector<CollectedRow> collected;

  Status Append(std::string_view key, std::string_view row) {
    ARROW_ASSIGN_OR_RAISE(std::vector<Value> values, ReadColumns(schema, key, row));
    RowMap& map = collected.emplace_back().values;
    for (size_t i = 0; i < values.size(); ++i) map.emplace(schema.columns()[i].name, std::move(values[i]));
    return Status::OK();
  }
  int64_t rows() const { return static_cast<int64_t>(collected.size()); }
  bool full() const { return false; }
};

// Rows of segments have never been read this way; they come as in every scan.
arrow::Result<std::vector<CollectedRow>> CollectTiers(const TableImpl& table) {
  ScanRequest request;
  for (size_t i = 0; i < table.row_schema()->columns().size(); ++i) request.columns.push_back(static_cast<int>(i));
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeScanPlan(table.MakeSource({}), request));
  const std::atomic<bool> cancelled{false};
  RowWalker walker(plan, table.store().GetSnapshot(), &cancelled);
  walker.Start(plan->ranges);
  CollectTaker taker{*table.row_schema(), {}};
  ARROW_RETURN_NOT_OK(walker.Walk(taker, ScanPlan::kNoLimit));
  return std::move(taker.collected);
}

// Arrow has no builders for extension types (UUID): their storage is built.
arrow::Result<std::shared_ptr<arrow::Array>> BuildColumn(const std::vector<RowMap>& rows, const arrow::Field& field,
                                                         const ColumnType& type) {
  if (!IsBatchTypeArrow(type)) {
    std::vector<Value> values;
    for (const RowMap& row : rows) values.push_back(row.at(field.name()));
    return ArrayOfValues(values, type);
  }
  const bool is_extension = field.type()->id() == arrow::Type::EXTENSION;
  const auto built =
      is_extension ? static_cast<const arrow::ExtensionType&>(*field.type()).storage_type() : field.type();
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(built));
  for (const RowMap& row : rows) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, row.at(field.name()).ToScalar(type));
    if (!scalar->is_valid) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    if (is_extension) scalar = static_cast<const arrow::ExtensionScalar&>(*scalar).value;
    ARROW_RETURN_NOT_OK(builder->AppendScalar(*scalar));
  }
  ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
  return is_extension ? arrow::ExtensionType::WrapArray(field.type(), std::move(column)) : column;
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectScan(const TableImpl& table) {
  ARROW_RETURN_NOT_OK(table.CheckReadable({}));
  const RowSchema& schema = *table.row_schema();
  std::vector<CollectedRow> collected;
  if (table.cold() && table.cold()->MayHaveSegments()) {
    ARROW_ASSIGN_OR_RAISE(collected, CollectTiers(table));
  } else if (table.entry().partition.valid()) {
    ScanSpec spec;
    spec.partition = table.entry().partition;
    spec.lower = table.key_prefix();
    spec.upper = PrefixSuccessor(table.key_prefix());
    ARROW_ASSIGN_OR_RAISE(collected, CollectRows(schema, table.store().Scan(std::move(spec))));
  } else {
    ARROW_ASSIGN_OR_RAISE(ComputedCursor computed, table.MakeComputed({}));
    ARROW_ASSIGN_OR_RAISE(collected, CollectRows(schema, std::move(computed)));
  }
  std::vector<RowMap> rows;
  for (CollectedRow& row : collected) {
    if (!row.deleted) rows.push_back(std::move(row.values));
  }
  arrow::ArrayVector columns;
  const auto& fields = table.visible_schema()->fields();
  for (size_t i = 0; i < fields.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto column, BuildColumn(rows, *fields[i], schema.columns()[i].type));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(table.visible_schema(), static_cast<int64_t>(rows.size()), std::move(columns));
}

}  // namespace yarrow
