#include "baseline_collect.h"

#include <arrow/api.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "batch/batch_builder.h"
#include "type/decimal.h"

namespace yarrow::bench {
namespace {

using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;

template <class T, class Source>
std::vector<std::optional<T>> Gather(size_t rows, const Source& value_of) {
  std::vector<std::optional<T>> values;
  for (size_t i = 0; i < rows; ++i) {
    const Value& value = value_of(i);
    values.push_back(value.is_null() ? std::nullopt : std::optional<T>(value.get<T>()));
  }
  return values;
}

template <class Builder, class T, class Convert>
ArrayResult Build(Builder builder, const std::vector<std::optional<T>>& values, const Convert& convert) {
  for (const std::optional<T>& value : values) {
    ARROW_RETURN_NOT_OK(value.has_value() ? builder.Append(convert(*value)) : builder.AppendNull());
  }
  return builder.Finish();
}

template <class Builder, class T, class Source>
ArrayResult Plain(size_t rows, const Source& value_of) {
  using Cell = typename Builder::value_type;
  return Build(Builder(), Gather<T>(rows, value_of), [](const T& value) { return static_cast<Cell>(value); });
}

// One loop over all rows for the column; value_of(i) is its cell in row i.
template <class Source>
ArrayResult CollectColumn(const ColumnType& type, size_t rows, const Source& value_of) {
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  const auto identity = [](const auto& value) { return value; };
  switch (type.id) {
    case TypeId::kBool:
      return Build(arrow::BooleanBuilder(), Gather<bool>(rows, value_of), identity);
    case TypeId::kInt32:
      return Plain<arrow::Int32Builder, int64_t>(rows, value_of);
    case TypeId::kInt64:
      return Plain<arrow::Int64Builder, int64_t>(rows, value_of);
    case TypeId::kDouble:
      return Plain<arrow::DoubleBuilder, double>(rows, value_of);
    case TypeId::kTimestamp:
      return Build(arrow::TimestampBuilder(type.ToArrow(), pool), Gather<int64_t>(rows, value_of), identity);
    case TypeId::kDecimal128:
      return Build(arrow::Decimal128Builder(type.ToArrow(), pool), Gather<Decimal>(rows, value_of),
                   [](const Decimal& value) { return ToArrowDecimal(value.unscaled); });
    case TypeId::kUtf8:
      return Build(arrow::StringBuilder(), Gather<std::string>(rows, value_of), identity);
    default:
      return arrow::Status::NotImplemented("the baseline has no columns of type ", type.ToString());
  }
}

Value ReadCell(const RowSchema& schema, std::string_view name, const EncodedRow& row) {
  const int column = schema.FindColumn(name);
  const RowSchema::Place place = schema.current().places[static_cast<size_t>(column)];
  if (place.kind == RowSchema::Place::kField) {
    return ReadField(schema.current().layout, row.second, static_cast<size_t>(place.index)).ValueOrDie();
  }
  const auto parts = schema.key_codec().Decode(row.first.substr(schema.key_prefix_size()));
  return parts.ValueOrDie()[static_cast<size_t>(place.index)];
}

// make(name, type) is the array of one column.
template <class MakeColumn>
arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectColumns(const RowSchema& schema,
                                                                  const std::vector<int>& columns, size_t rows,
                                                                  const MakeColumn& make) {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const int column : columns) {
    const RowColumn& definition = schema.columns()[static_cast<size_t>(column)];
    ARROW_ASSIGN_OR_RAISE(auto array, make(definition.name, definition.type));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(ProjectedSchema(schema, columns), static_cast<int64_t>(rows), std::move(arrays));
}

}  // namespace

std::string RowToJson(const RowSchema& schema, std::span<const Value> values) {
  nlohmann::json row;
  for (size_t i = 0; i < values.size(); ++i) {
    const RowColumn& column = schema.columns()[i];
    nlohmann::json& cell = row[column.name];
    if (values[i].is_null()) continue;
    if (const auto* flag = std::get_if<bool>(&values[i].variant())) {
      cell = *flag;
    } else if (const auto* number = std::get_if<int64_t>(&values[i].variant())) {
      cell = *number;
    } else if (const auto* real = std::get_if<double>(&values[i].variant())) {
      cell = *real;
    } else {
      cell = values[i].ToString(column.type);
    }
  }
  return row.dump();
}

arrow::Result<RowMap> RowFromJson(const RowSchema& schema, std::string_view json) {
  const nlohmann::json parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return arrow::Status::Invalid("not a JSON object: ", json);
  RowMap row;
  for (const auto& [name, cell] : parsed.items()) {
    Value& value = row[name];
    if (cell.is_boolean()) value = Value(cell.get<bool>());
    if (cell.is_number_integer()) value = Value(cell.get<int64_t>());
    if (cell.is_number_float()) value = Value(cell.get<double>());
    if (!cell.is_string()) continue;
    const ColumnType& type = schema.columns()[static_cast<size_t>(schema.FindColumn(name))].type;
    ARROW_ASSIGN_OR_RAISE(value, Value::Parse(cell.get_ref<const std::string&>(), type));
  }
  return row;
}

RowMap RowToMap(const RowSchema& schema, std::span<const Value> values) {
  RowMap row;
  for (size_t i = 0; i < values.size(); ++i) row[schema.columns()[i].name] = values[i];
  return row;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectMaps(const RowSchema& schema, const std::vector<int>& columns,
                                                               const std::vector<RowMap>& rows) {
  static const Value kMissing;
  return CollectColumns(schema, columns, rows.size(), [&](const std::string& name, const ColumnType& type) {
    return CollectColumn(type, rows.size(), [&](size_t i) -> const Value& {
      const auto found = rows[i].find(name);
      return found == rows[i].end() ? kMissing : found->second;
    });
  });
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> CollectEncoded(const RowSchema& schema,
                                                                  const std::vector<int>& columns,
                                                                  const std::vector<EncodedRow>& rows) {
  return CollectColumns(schema, columns, rows.size(), [&](const std::string& name, const ColumnType& type) {
    return CollectColumn(type, rows.size(), [&](size_t i) { return ReadCell(schema, name, rows[i]); });
  });
}

}  // namespace yarrow::bench
