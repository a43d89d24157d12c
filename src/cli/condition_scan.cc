#include "cli/condition_scan.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "cli/text_column.h"
#include "sql/arrow_types.h"
#include "sql/table_query.h"
#include "type/type_traits.h"

namespace yarrow::cli {
namespace {

using arrow::Status;

// DuckDB has timestamps with time zone in microseconds only, and nanoseconds without a zone. The values came from a
// column of `type`, so a coarser unit holds them.
arrow::Result<std::shared_ptr<arrow::Array>> TimestampsOf(const arrow::Array& cells,
                                                          const std::shared_ptr<arrow::DataType>& type) {
  const auto from = static_cast<const arrow::TimestampType&>(*cells.type()).unit();
  const auto to = static_cast<const arrow::TimestampType&>(*type).unit();
  if (from == to) return cells.View(type);
  constexpr auto kInfinity = std::numeric_limits<int64_t>::max();
  const int64_t factor = to == arrow::TimeUnit::SECOND ? 1'000'000 : 1000;
  const auto& values = static_cast<const arrow::TimestampArray&>(cells);
  arrow::TimestampBuilder builder(type, arrow::default_memory_pool());
  ARROW_RETURN_NOT_OK(builder.Reserve(values.length()));
  for (int64_t row = 0; row < values.length(); ++row) {
    if (values.IsNull(row)) {
      builder.UnsafeAppendNull();
    } else {
      const int64_t value = values.Value(row);
      builder.UnsafeAppend(value == kInfinity || value == -kInfinity ? value : value / factor);
    }
  }
  return builder.Finish();
}

arrow::Result<std::shared_ptr<arrow::Array>> ToTableType(const std::shared_ptr<arrow::Array>& cells,
                                                         const std::shared_ptr<arrow::DataType>& type) {
  // Of nested types the names of parts may differ, which nobody asks for.
  if (cells->type()->Equals(*type) || (type->num_fields() > 0 && cells->type_id() == type->id())) return cells;
  if (cells->type_id() == arrow::Type::TIMESTAMP && type->id() == arrow::Type::TIMESTAMP) {
    return TimestampsOf(*cells, type);
  }
  if (cells->type_id() == arrow::Type::STRING && type->id() == arrow::Type::EXTENSION &&
      static_cast<const arrow::ExtensionType&>(*type).storage_type()->id() == arrow::Type::STRING) {  // JSON
    return arrow::ExtensionType::WrapArray(type, cells);
  }
  if (cells->type_id() == arrow::Type::STRING) {  // UUIDs
    ARROW_ASSIGN_OR_RAISE(const ColumnType wanted, ColumnType::FromArrow(*type));
    int64_t bad_row = 0;
    return ParseTexts(static_cast<const arrow::StringArray&>(*cells), wanted, {}, &bad_row);
  }
  return Status::NotImplemented("cells of type ", cells->type()->ToString(), " cannot become ", type->ToString());
}

class ConditionScan : public TableScan {
 public:
  ConditionScan(std::unique_ptr<sql::TableQuery> query, std::shared_ptr<arrow::Schema> schema, const char* prefix)
      : query_(std::move(query)), schema_(std::move(schema)), prefix_(prefix) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (rows_ == nullptr) {
      auto rows = query_->Run();
      if (!rows.ok()) return rows.status().WithMessage(prefix_, rows.status().message());
      rows_ = *std::move(rows);
    }
    std::shared_ptr<arrow::RecordBatch> read;
    ARROW_RETURN_NOT_OK(rows_->ReadNext(&read));
    if (read == nullptr) return Status::OK();
    arrow::ArrayVector columns;
    for (int i = 0; i < read->num_columns(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto column, ToTableType(read->column(i), schema_->field(i)->type()));
      columns.push_back(std::move(column));
    }
    *batch = arrow::RecordBatch::Make(schema_, read->num_rows(), std::move(columns));
    return Status::OK();
  }

  void Cancel() override { query_->Cancel(); }
  ScanMetrics metrics() const override { return query_->metrics(); }
  std::string Explain() const override {
    const auto plan = query_->Explain();
    return plan.ok() ? *plan : plan.status().message();
  }

 private:
  const std::unique_ptr<sql::TableQuery> query_;
  const std::shared_ptr<arrow::Schema> schema_;
  const char* const prefix_;  // of errors
  std::shared_ptr<arrow::RecordBatchReader> rows_;
};

// What a query answers where it is not of the scan's type: numbers of 38 digits and more for a HUGEINT, nested values
// as they are where Arrow has all of their parts, and text.
std::shared_ptr<arrow::DataType> AnsweredType(const ColumnType& type, CellForm form) {
  const bool is_json =
      type.id == TypeId::kJson || (form == CellForm::kJson && type.is_nested() && !sql::IsNestedOfArrow(type));
  if (is_json) return ColumnType(TypeId::kJson).ToArrow();
  if (sql::IsNestedOfArrow(type)) return type.ToArrow();
  return type.id == TypeId::kHugeint ? arrow::decimal128(38, 0) : arrow::utf8();
}

std::shared_ptr<arrow::Schema> AnsweredSchema(const arrow::Schema& scanned, const TableDefinition& table,
                                              CellForm form) {
  arrow::FieldVector fields = scanned.fields();
  for (auto& field : fields) {
    const auto column = std::ranges::find(table.columns, field->name(), &ColumnDefinition::name);
    if (column == table.columns.end() || sql::IsOfArrow(column->type)) continue;
    field = field->WithType(AnsweredType(column->type, form));
  }
  return arrow::schema(std::move(fields));
}

bool HasSqlTexts(const TableDefinition& table, const RowSelection& selection) {
  const auto& names = selection.columns;
  return std::ranges::any_of(table.columns, [&](const ColumnDefinition& column) {
    return sql::HasSqlText(column.type) && (names.empty() || std::ranges::find(names, column.name) != names.end());
  });
}

}  // namespace

arrow::Result<std::shared_ptr<TableScan>> OpenScan(const OpenedTable& opened, const RowSelection& selection,
                                                   const ScanWay& way) {
  const bool has_condition = !selection.where.empty();
  const bool by_sql =
      has_condition || (way.form != CellForm::kArrow && HasSqlTexts(opened.table->definition(), selection));
  ScanOptions options;
  if (!selection.columns.empty()) options.columns = selection.columns;
  options.limit = by_sql ? 0 : selection.limit;
  options.reverse = way.reverse;
  options.threads = way.threads;
  ARROW_ASSIGN_OR_RAISE(auto scan, opened.table->Scan(options));
  if (!by_sql) return scan;
  const char* const prefix = has_condition ? "--where: " : "";
  auto query = sql::TableQuery::Open(opened.database, {.user = opened.session->user()}, opened.table->definition(),
                                     {.columns = selection.columns,
                                      .condition = selection.where,
                                      .limit = selection.limit,
                                      .reverse = way.reverse,
                                      .threads = way.threads,
                                      .count = way.count,
                                      .as_json = way.form == CellForm::kJson});
  if (!query.ok()) return query.status().WithMessage(prefix, query.status().message());
  return std::make_shared<ConditionScan>(*std::move(query),
                                         AnsweredSchema(*scan->schema(), opened.table->definition(), way.form), prefix);
}

}  // namespace yarrow::cli
