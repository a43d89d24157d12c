#include "row/row_layout.h"

#include <bit>

#include "type/field_value.h"

namespace yarrow {
namespace {

static_assert(std::endian::native == std::endian::little, "rows are stored little-endian and read in place");

arrow::Status Damaged(const RowLayout& layout, const char* what, size_t field) {
  return arrow::Status::Invalid("damaged row: ", what, ": field ", field, " (", layout.type(field).ToString(), ")");
}

arrow::Status ValidateBitmap(const RowLayout& layout, std::string_view row) {
  const size_t used_bits = layout.field_count() % 8;
  if (used_bits == 0) return arrow::Status::OK();
  const size_t last_byte = kRowHeaderSize + layout.field_count() / 8;
  if (static_cast<uint8_t>(row[last_byte]) >> used_bits == 0) return arrow::Status::OK();
  return arrow::Status::Invalid("damaged row: padding of the null bitmap is set, in byte ", last_byte);
}

arrow::Status ValidateFixedField(const RowLayout& layout, std::string_view row, size_t field) {
  const ColumnType& type = layout.type(field);
  const char* bytes = row.data() + layout.fixed_offset(field);
  const auto width = static_cast<size_t>(type.fixed_width());
  if (!IsNullField(row, field)) {
    const char* flaw = CheckFixedBytes(type, bytes);
    return flaw == nullptr ? arrow::Status::OK() : Damaged(layout, flaw, field);
  }
  if (std::string_view(bytes, width).find_first_not_of('\0') == std::string_view::npos) return arrow::Status::OK();
  return Damaged(layout, "a NULL field is not all zeros", field);
}

arrow::Status ValidateVariableField(const RowLayout& layout, std::string_view row, size_t field) {
  std::string_view bytes;
  if (!VariableField(layout, row, field, &bytes)) {
    return Damaged(layout, "end offsets are out of order or out of bounds", field);
  }
  if (IsNullField(row, field)) {
    return bytes.empty() ? arrow::Status::OK() : Damaged(layout, "a NULL field has bytes", field);
  }
  const char* flaw = CheckVariableBytes(layout.type(field), bytes);
  return flaw == nullptr ? arrow::Status::OK() : Damaged(layout, flaw, field);
}

arrow::Status ValidateShape(const RowLayout& layout, std::string_view row) {
  ARROW_ASSIGN_OR_RAISE(const uint32_t version, RowSchemaVersion(row));
  if (version != layout.schema_version()) {
    return arrow::Status::Invalid("damaged row: schema version ", version, " instead of ", layout.schema_version());
  }
  const uint32_t least = layout.min_size(static_cast<uint8_t>(row[1]));
  if (row.size() < least) {
    return arrow::Status::Invalid("damaged row: truncated: ", row.size(), " bytes, but its layout has at least ",
                                  least);
  }
  if (!CheckRowShape(layout, row)) {
    return arrow::Status::Invalid("damaged row: its ", row.size(), " bytes do not end where the last end offset says");
  }
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<RowLayout> RowLayout::Make(uint32_t schema_version, std::vector<ColumnType> fields) {
  if (fields.size() > kMaxFields) {
    return arrow::Status::CapacityError("a row stores at most ", kMaxFields, " fields, not ", fields.size());
  }
  RowLayout layout;
  layout.schema_version_ = schema_version;
  layout.places_.reserve(fields.size());
  auto offset = static_cast<uint32_t>(kRowHeaderSize + (fields.size() + 7) / 8);
  for (size_t i = 0; i < fields.size(); ++i) {
    const arrow::Status status = fields[i].Validate();
    if (!status.ok()) return status.WithMessage("field ", i, ": ", status.message());
    if (fields[i].is_variable()) {
      layout.places_.push_back(layout.variable_count_++);
    } else {
      layout.places_.push_back(offset);
      offset += static_cast<uint32_t>(fields[i].fixed_width());
    }
  }
  layout.offsets_start_ = offset;
  layout.fields_ = std::move(fields);
  return layout;
}

arrow::Result<uint32_t> RowSchemaVersion(std::string_view row) {
  if (row.size() < kRowHeaderSize) {
    return arrow::Status::Invalid("damaged row: truncated: ", row.size(), " bytes, but a row has at least ",
                                  kRowHeaderSize);
  }
  const auto format = static_cast<uint8_t>(row[0]);
  if (format != kRowFormat) {
    return arrow::Status::Invalid("row format ", static_cast<int>(format), " instead of ", static_cast<int>(kRowFormat),
                                  ": damaged, or written by a newer version");
  }
  const auto flags = static_cast<uint8_t>(row[1]);
  if ((flags & ~(kRowDeleted | kRowWideOffsets)) != 0) {
    return arrow::Status::Invalid("unknown row flags ", static_cast<int>(flags),
                                  ": damaged, or written by a newer version");
  }
  uint32_t version;
  std::memcpy(&version, row.data() + 2, sizeof(version));
  return version;
}

arrow::Status ValidateRow(const RowLayout& layout, std::string_view row) {
  ARROW_RETURN_NOT_OK(ValidateShape(layout, row));
  ARROW_RETURN_NOT_OK(ValidateBitmap(layout, row));
  for (size_t field = 0; field < layout.field_count(); ++field) {
    ARROW_RETURN_NOT_OK(layout.is_variable(field) ? ValidateVariableField(layout, row, field)
                                                  : ValidateFixedField(layout, row, field));
  }
  return arrow::Status::OK();
}

arrow::Result<Value> ReadField(const RowLayout& layout, std::string_view row, size_t field) {
  if (IsNullField(row, field)) return Value::Null();
  const ColumnType& type = layout.type(field);
  if (type.is_variable()) {
    std::string_view bytes;
    if (!VariableField(layout, row, field, &bytes)) {
      return Damaged(layout, "end offsets are out of order or out of bounds", field);
    }
    if (const char* flaw = CheckVariableBytes(type, bytes)) return Damaged(layout, flaw, field);
    return Value(bytes);
  }
  const char* bytes = row.data() + layout.fixed_offset(field);
  if (const char* flaw = CheckFixedBytes(type, bytes)) return Damaged(layout, flaw, field);
  return LoadFixedValue(type, bytes);
}

}  // namespace yarrow
