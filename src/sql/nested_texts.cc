#include "sql/nested_texts.h"

#include <arrow/array/concatenate.h>
#include <arrow/c/bridge.h>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>

#include <algorithm>
#include <string>
#include <utility>

#include "sql/arrow_export.h"
#include "sql/query_reader.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalType;

// `type` with text for all that is not nested.
LogicalType TextsOf(const ColumnType& type) {
  const auto member = [&](size_t i) { return TextsOf(type.members()[i].type); };
  switch (type.id) {
    case TypeId::kList:
      return LogicalType::LIST(member(0));
    case TypeId::kArray:
      return LogicalType::ARRAY(member(0), static_cast<duckdb::idx_t>(type.array_size()));
    case TypeId::kMap:
      return LogicalType::MAP(member(0), member(1));
    case TypeId::kStruct: {
      duckdb::child_list_t<LogicalType> fields;
      for (size_t i = 0; i < type.members().size(); ++i) fields.emplace_back(type.members()[i].name, member(i));
      return LogicalType::STRUCT(std::move(fields));
    }
    case TypeId::kJson:
      return LogicalType::JSON();
    default:
      return LogicalType::VARCHAR;
  }
}

class NestedParser {
 public:
  NestedParser(duckdb::ClientContext& context, const ColumnType& type, bool is_json)
      : context_(context), from_(is_json ? LogicalType::JSON() : LogicalType::VARCHAR), to_(TextsOf(type)) {
    cast_ = duckdb::BoundCastExpression::AddCastToType(
        context, duckdb::make_uniq<duckdb::BoundReferenceExpression>(from_, 0ULL), to_, /*try_cast=*/true);
    texts_.Initialize(duckdb::Allocator::DefaultAllocator(), {from_});
    values_.Initialize(duckdb::Allocator::DefaultAllocator(), {to_});
  }

  using Values = arrow::Result<std::shared_ptr<arrow::Array>>;
  // The values of at most a vector's rows from `first` on; a null pointer, with *bad_row, when one has none.
  Values Parse(const arrow::StringArray& texts, int64_t first, int64_t rows, int64_t* bad_row) {
    texts_.Reset();
    values_.Reset();
    auto* const data = duckdb::FlatVector::GetData<duckdb::string_t>(texts_.data[0]);
    for (int64_t i = 0; i < rows; ++i) {
      const auto row = static_cast<duckdb::idx_t>(i);
      const std::string_view text = texts.IsNull(first + i) ? std::string_view("") : texts.GetView(first + i);
      data[row] = duckdb::string_t(text.data(), static_cast<uint32_t>(text.size()));
      if (texts.IsNull(first + i)) duckdb::FlatVector::SetNull(texts_.data[0], row, true);
    }
    texts_.SetCardinality(static_cast<duckdb::idx_t>(rows));
    duckdb::ExpressionExecutor(context_, *cast_).Execute(texts_, values_);
    duckdb::UnifiedVectorFormat format;
    values_.data[0].ToUnifiedFormat(values_.size(), format);
    for (int64_t i = 0; i < rows; ++i) {
      const bool is_null = !format.validity.RowIsValid(format.sel->get_index(static_cast<duckdb::idx_t>(i)));
      if (!is_null || texts.IsNull(first + i) || IsNullText(texts.GetView(first + i))) continue;
      *bad_row = first + i;
      return nullptr;
    }
    auto layout = ArrowLayout(&context_);
    ArrowSchema schema;
    duckdb::ArrowConverter::ToArrowSchema(&schema, {to_}, {"values"}, layout);
    ArrowArray exported = ToArrowArray(values_, 0, values_.size(), layout);
    ARROW_ASSIGN_OR_RAISE(const auto batch, arrow::ImportRecordBatch(&exported, &schema));
    return batch->column(0);
  }

 private:
  // JSON's null, which a cast makes a NULL.
  bool IsNullText(std::string_view text) const { return from_.IsJSONType() && text == "null"; }

  duckdb::ClientContext& context_;
  const LogicalType from_, to_;
  duckdb::unique_ptr<duckdb::Expression> cast_;
  duckdb::DataChunk texts_, values_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> ParseNestedTexts(duckdb::ClientContext& context,
                                                              const arrow::StringArray& texts, const ColumnType& type,
                                                              bool is_json, int64_t* bad_row) {
  arrow::ArrayVector parts;
  *bad_row = -1;
  arrow::Status status;
  ARROW_RETURN_NOT_OK(Try([&] {
    context.RunFunctionInTransaction([&] {
      NestedParser parser(context, type, is_json);
      int64_t first = 0;
      do {
        const int64_t rows = std::min<int64_t>(texts.length() - first, STANDARD_VECTOR_SIZE);
        auto values = parser.Parse(texts, first, rows, bad_row);
        status = values.status();
        if (!status.ok() || *values == nullptr) return;
        parts.push_back(*std::move(values));
        first += rows;
      } while (first < texts.length());
    });
  }));
  ARROW_RETURN_NOT_OK(status);
  if (*bad_row < 0) return arrow::Concatenate(parts);
  return arrow::Status::Invalid("cannot read '", texts.GetView(*bad_row), "' as ", type.ToString());
}

}  // namespace yarrow::sql
