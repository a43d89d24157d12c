#include "row/row_reader.h"

#include <utility>

namespace yarrow {
namespace {

using arrow::Status;

Status Damaged(const RowSchema& schema, std::string_view key, const std::string& what) {
  return Status::Invalid("Table ", schema.table_name(), ": the row with ", schema.DescribeKey(key),
                         " is damaged: ", what);
}

// The version of the row, whose shape is checked against it.
arrow::Result<const RowSchema::Version*> CheckedVersion(const RowSchema& schema, std::string_view key,
                                                        std::string_view row) {
  if (CheckRowShape(schema.current().layout, row)) return &schema.current();
  const auto number = RowSchemaVersion(row);
  if (!number.ok()) return Damaged(schema, key, number.status().message());
  const RowSchema::Version* version = schema.FindVersion(*number);
  if (version == nullptr) return Damaged(schema, key, "it has the unknown schema version " + std::to_string(*number));
  if (!CheckRowShape(version->layout, row)) return Damaged(schema, key, ValidateRow(version->layout, row).message());
  return version;
}

arrow::Result<Value> ReadKeyPart(const RowSchema& schema, std::string_view key, size_t part) {
  std::string_view rest = key.substr(std::min(schema.key_prefix_size(), key.size()));
  Value value;
  for (size_t i = 0; i <= part; ++i) {
    ARROW_ASSIGN_OR_RAISE(value, DecodeKeyPart(&rest, schema.key_codec().parts()[i]));
  }
  return value;
}

arrow::Result<Value> ReadPlace(const RowSchema& schema, const RowSchema::Version& version, std::string_view key,
                               std::string_view row, int column) {
  const RowSchema::Place& place = version.places[column];
  const ColumnType& type = schema.columns()[column].type;
  arrow::Result<Value> value;
  switch (place.kind) {
    case RowSchema::Place::kField:
      value = ReadField(version.layout, row, place.index);
      if (value.ok() && version.layout.type(place.index) != type) value = value->CastTo(type);
      break;
    case RowSchema::Place::kKeyPart:
      value = ReadKeyPart(schema, key, place.index);
      break;
    case RowSchema::Place::kDefault:
      value = schema.columns()[column].older_value();
      break;
  }
  if (value.ok()) return value;
  return Damaged(schema, key, "column '" + schema.columns()[column].name + "': " + value.status().message());
}

}  // namespace

arrow::Result<CheckedRow> CheckedRow::Make(const RowSchema& schema, std::string_view key, std::string_view row) {
  ARROW_ASSIGN_OR_RAISE(const RowSchema::Version* version, CheckedVersion(schema, key, row));
  return CheckedRow(schema, *version, key, row);
}

arrow::Result<Value> CheckedRow::Read(int column) const {
  return ReadPlace(*schema_, *version_, key_, row_, column);
}

arrow::Result<Value> ReadColumn(const RowSchema& schema, std::string_view key, std::string_view row, int column) {
  ARROW_ASSIGN_OR_RAISE(const CheckedRow checked, CheckedRow::Make(schema, key, row));
  return checked.Read(column);
}

arrow::Result<std::vector<Value>> ReadColumns(const RowSchema& schema, std::string_view key, std::string_view row) {
  ARROW_ASSIGN_OR_RAISE(const CheckedRow checked, CheckedRow::Make(schema, key, row));
  std::vector<Value> values;
  values.reserve(schema.columns().size());
  for (size_t column = 0; column < schema.columns().size(); ++column) {
    ARROW_ASSIGN_OR_RAISE(Value value, checked.Read(static_cast<int>(column)));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace yarrow
