#include "batch/row_encoder.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/bound_column.h"
#include "batch/cell_limits.h"
#include "batch/cell_writer.h"
#include "row/constraint_violation.h"
#include "type/value_range.h"

namespace yarrow {

using batch::BoundColumn;
using batch::EncodeOp;

class RowEncoder::Impl {
 public:
  Impl(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix)
      : schema_(std::move(row_schema)), prefix_(std::move(key_prefix)), writer_(&schema_->current().layout) {}

  arrow::Status EncodeValues(std::span<const Value> values, std::string* key, std::string* row);
  arrow::Status EncodeKey(std::span<const Value> key_values, std::string* key);
  arrow::Status BindBatch(const arrow::RecordBatch& batch);
  void AllowMissingColumns() { allow_missing_ = true; }
  arrow::Status EncodeRow(int64_t i, std::string* key, std::string* row);

 private:
  using BoundColumns = std::vector<std::optional<BoundColumn>>;  // one a column of the table; none: not in the batch

  const RowColumn& column(int i) const { return schema_->columns()[static_cast<size_t>(i)]; }
  // "table t, column c, key (1, 'x')", without a hidden key
  std::string Where(int column, std::span<const Value> key_values) const;
  arrow::Status Refuse(int column, std::span<const Value> key_values, const std::string& why) const;
  arrow::Status RefuseNull(int column, std::span<const Value> key_values) const;
  arrow::Status CheckedCast(int column, const Value& value, std::span<const Value> key_values, Value* exact) const;

  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> MatchColumns(const arrow::RecordBatch& batch) const;
  arrow::Status BindColumns(const std::vector<std::shared_ptr<arrow::Array>>& arrays, BoundColumns* bound) const;
  arrow::Status MakeKeyOps(const BoundColumns& bound);
  arrow::Status MakeFieldOps(const BoundColumns& bound);
  arrow::Status RefuseCell(const EncodeOp& op, int64_t i) const;
  arrow::Status CheckTimestamps(int number, const BoundColumns& bound) const;
  // Of a column that a batch lacks.
  arrow::Status CheckNeedsNoSql(int number) const;
  std::vector<Value> BoundKeyValues(const BoundColumns& bound, int64_t i) const;

  std::shared_ptr<const RowSchema> schema_;
  std::string prefix_;
  RowWriter writer_;
  std::vector<Value> exact_;  // scratch of EncodeValues
  std::vector<Value> exact_key_;

  bool allow_missing_ = false;

  // The bound batch.
  int64_t rows_ = 0;
  BoundColumns bound_;
  std::vector<EncodeOp> key_ops_;    // in key order
  std::vector<EncodeOp> fixed_ops_;  // fields with a column in the batch
  std::vector<EncodeOp> text_ops_;   // all variable fields, in field order
  std::vector<uint32_t> ends_;       // scratch: end offsets of the row's variable fields
  std::string head_;                 // of a row with every bound field zero and not NULL, the others at their default
};

std::string RowEncoder::Impl::Where(int number, std::span<const Value> key_values) const {
  const std::string where = "table " + schema_->table_name() + ", column " + column(number).name;
  if (schema_->has_hidden_key()) return where;
  std::vector<Value> exact;
  std::string listed = "key (";
  for (size_t part = 0; part < key_values.size(); ++part) {
    exact.push_back(key_values[part].CastTo(column(schema_->key_columns()[part]).type).ValueOr(Value::Null()));
    listed += (part == 0 ? "" : ", ") + key_values[part].ToString();
  }
  std::string key = prefix_;
  const bool encodes = schema_->key_codec().Encode(exact, &key).ok();
  return where + ", " + (encodes ? schema_->DescribeKey(key) : listed + ")");
}

arrow::Status RowEncoder::Impl::Refuse(int number, std::span<const Value> key_values, const std::string& why) const {
  return arrow::Status::Invalid(Where(number, key_values), ": ", why);
}

arrow::Status RowEncoder::Impl::RefuseNull(int number, std::span<const Value> key_values) const {
  return NotNullViolation(*schema_, number, Where(number, key_values) + ": NULL in a column that is NOT NULL");
}

arrow::Status RowEncoder::Impl::CheckedCast(int number, const Value& value, std::span<const Value> key_values,
                                            Value* exact) const {
  if (value.is_null()) {
    if (!column(number).nullable) return RefuseNull(number, key_values);
    *exact = Value::Null();
    return arrow::Status::OK();
  }
  arrow::Result<Value> cast = value.CastTo(column(number).type);
  if (!cast.ok()) return Refuse(number, key_values, cast.status().message());
  *exact = *std::move(cast);
  return arrow::Status::OK();
}

arrow::Status RowEncoder::Impl::EncodeValues(std::span<const Value> values, std::string* key, std::string* row) {
  const std::vector<RowColumn>& columns = schema_->columns();
  if (values.size() != columns.size()) {
    return arrow::Status::Invalid("table ", schema_->table_name(), " has ", columns.size(), " columns, ", values.size(),
                                  " values were given");
  }
  exact_key_.clear();
  for (const int number : schema_->key_columns()) exact_key_.push_back(values[static_cast<size_t>(number)]);
  ARROW_RETURN_NOT_OK(EncodeKey(exact_key_, key));

  writer_.Reset();
  exact_.resize(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    const RowSchema::Place place = schema_->current().places[i];
    if (place.kind != RowSchema::Place::kField) continue;
    ARROW_RETURN_NOT_OK(CheckedCast(static_cast<int>(i), values[i], exact_key_, &exact_[i]));
    ARROW_RETURN_NOT_OK(writer_.Set(static_cast<size_t>(place.index), exact_[i]));
  }
  return writer_.Finish(/*deleted=*/false, row);
}

arrow::Status RowEncoder::Impl::EncodeKey(std::span<const Value> key_values, std::string* key) {
  const std::vector<int>& key_columns = schema_->key_columns();
  if (key_values.size() != key_columns.size()) {
    return arrow::Status::Invalid("the key of table ", schema_->table_name(), " has ", key_columns.size(), " columns, ",
                                  key_values.size(), " values were given");
  }
  std::vector<Value> exact(key_values.size());
  for (size_t part = 0; part < key_values.size(); ++part) {
    ARROW_RETURN_NOT_OK(CheckedCast(key_columns[part], key_values[part], key_values, &exact[part]));
  }
  key->assign(prefix_);
  return schema_->key_codec().Encode(exact, key);
}

arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> RowEncoder::Impl::MatchColumns(
    const arrow::RecordBatch& batch) const {
  std::vector<std::shared_ptr<arrow::Array>> arrays(schema_->columns().size());
  for (int c = 0; c < batch.num_columns(); ++c) {
    const std::string& name = batch.schema()->field(c)->name();
    const int number = schema_->FindColumn(name);
    if (number < 0) {
      std::string known;
      for (const RowColumn& own : schema_->columns()) known += (known.empty() ? "" : ", ") + own.name;
      return arrow::Status::Invalid("table ", schema_->table_name(), " has no column ", name, "; its columns are ",
                                    known);
    }
    std::shared_ptr<arrow::Array>& array = arrays[static_cast<size_t>(number)];
    if (array != nullptr) {
      return arrow::Status::Invalid("table ", schema_->table_name(), ", column ", column(number).name,
                                    ": the batch has it twice, the second time as ", name);
    }
    array = batch.column(c);
    if (array->length() != batch.num_rows()) {
      return arrow::Status::Invalid("table ", schema_->table_name(), ", column ", column(number).name, ": it has ",
                                    array->length(), " values in a batch of ", batch.num_rows(), " rows");
    }
  }
  return arrays;
}

// Key columns first, so that a misfit elsewhere can name its row's key.
arrow::Status RowEncoder::Impl::BindColumns(const std::vector<std::shared_ptr<arrow::Array>>& arrays,
                                            BoundColumns* bound) const {
  std::vector<int> order = schema_->key_columns();
  for (size_t i = 0; i < arrays.size(); ++i) {
    if (schema_->key_part(static_cast<int>(i)) < 0) order.push_back(static_cast<int>(i));
  }
  bound->assign(arrays.size(), std::nullopt);
  for (const int number : order) {
    const auto& array = arrays[static_cast<size_t>(number)];
    if (array == nullptr) {
      ARROW_RETURN_NOT_OK(CheckNeedsNoSql(number));
      if (allow_missing_ || column(number).nullable || !column(number).default_value.is_null()) continue;
      return arrow::Status::Invalid("table ", schema_->table_name(), ", column ", column(number).name,
                                    ": the batch lacks it, and it is NOT NULL without a default");
    }
    batch::Misfit misfit{-1, {}};
    auto cast = batch::BindColumn(array, column(number).type, &misfit);
    if (!cast.ok() && misfit.row < 0) {
      return cast.status().WithMessage("table ", schema_->table_name(), ", column ", column(number).name, ": ",
                                       cast.status().message());
    }
    if (!cast.ok()) return Refuse(number, BoundKeyValues(*bound, misfit.row), misfit.message);
    (*bound)[static_cast<size_t>(number)] = *std::move(cast);
    if (!allow_missing_) ARROW_RETURN_NOT_OK(CheckTimestamps(number, *bound));
  }
  return arrow::Status::OK();
}

arrow::Status RowEncoder::Impl::CheckNeedsNoSql(int number) const {
  const RowColumn& missing = column(number);
  if (allow_missing_ || missing.default_expression.empty()) return arrow::Status::OK();
  return arrow::Status::Invalid("table ", schema_->table_name(), ", column ", missing.name,
                                ": the batch lacks it, and ", "only SQL computes its default ",
                                missing.default_expression, ": give its values, or insert the rows with SQL");
}

// Those of a segment were checked when they came in, or came in before there was a rule.
arrow::Status RowEncoder::Impl::CheckTimestamps(int number, const BoundColumns& bound) const {
  const ColumnType& type = column(number).type;
  if (type.id != TypeId::kTimestamp) return arrow::Status::OK();
  const BoundColumn& source = *bound[static_cast<size_t>(number)];
  const TimestampRange range = TimestampsOf(type.unit);
  for (int64_t i = 0; i < source.array->length(); ++i) {
    const auto units = batch::LoadLittle<int64_t>(source.values + 8 * i);
    if ((units >= range.least && units <= range.greatest) || IsInfiniteTimestamp(units) || source.IsNull(i)) continue;
    return Refuse(number, BoundKeyValues(bound, i),
                  "value " + Value(units).ToString(type) + " does not fit " + type.ToString() + RangeHint(type));
  }
  return arrow::Status::OK();
}

// As far as the key columns are bound; those that are not show as NULL.
std::vector<Value> RowEncoder::Impl::BoundKeyValues(const BoundColumns& bound, int64_t i) const {
  std::vector<Value> values;
  for (const int number : schema_->key_columns()) {
    const std::optional<BoundColumn>& source = bound[static_cast<size_t>(number)];
    values.push_back(source.has_value() ? source->GetValue(column(number).type, i) : column(number).default_value);
  }
  return values;
}

arrow::Status RowEncoder::Impl::MakeKeyOps(const BoundColumns& bound) {
  key_ops_.clear();
  for (const int number : schema_->key_columns()) {
    EncodeOp op;
    op.column = number;
    batch::SetLimits(column(number).type, &op);
    if (const auto& source = bound[static_cast<size_t>(number)]; source.has_value()) {
      op.source = *source;
      op.write_key = batch::SelectKeyWriter(column(number).type);
    } else {
      op.is_constant = true;
      ARROW_RETURN_NOT_OK(EncodeKeyPart(column(number).default_value, {column(number).type, false}, &op.constant));
    }
    key_ops_.push_back(std::move(op));
  }
  return arrow::Status::OK();
}

arrow::Status RowEncoder::Impl::MakeFieldOps(const BoundColumns& bound) {
  fixed_ops_.clear();
  text_ops_.clear();
  writer_.Reset();
  const RowSchema::Version& version = schema_->current();
  const RowLayout& layout = version.layout;
  for (size_t field = 0; field < layout.field_count(); ++field) {
    const int number = version.column_of_field[field];
    const RowColumn* own = number < 0 ? nullptr : &column(number);
    const bool is_bound = own != nullptr && bound[static_cast<size_t>(number)].has_value();
    const Value& constant = own == nullptr ? Value::Null() : own->default_value;
    EncodeOp op;
    op.column = number;
    op.null_byte = static_cast<uint32_t>(kRowHeaderSize + field / 8);
    op.null_mask = static_cast<uint8_t>(1U << (field % 8));
    batch::SetLimits(layout.type(field), &op);
    if (is_bound) {
      op.source = *bound[static_cast<size_t>(number)];
      op.nullable = own->nullable;
    }
    if (layout.is_variable(field)) {
      op.is_constant = !is_bound;
      if (op.is_constant && !constant.is_null()) op.constant = constant.get<std::string>();
      if (is_bound || !constant.is_null()) writer_.SetVariable(field, {});  // not NULL
      text_ops_.push_back(std::move(op));
    } else if (is_bound) {
      constexpr char kZeros[16] = {};
      writer_.SetFixed(field, kZeros);
      op.offset = layout.fixed_offset(field);
      op.write_field = batch::SelectFieldWriter(layout.type(field));
      fixed_ops_.push_back(std::move(op));
    } else {
      ARROW_RETURN_NOT_OK(writer_.Set(field, constant));
    }
  }
  ARROW_RETURN_NOT_OK(writer_.Finish(/*deleted=*/false, &head_));
  head_.resize(layout.offsets_start());
  ends_.resize(text_ops_.size());
  return arrow::Status::OK();
}

arrow::Status RowEncoder::Impl::BindBatch(const arrow::RecordBatch& batch) {
  rows_ = 0;
  ARROW_ASSIGN_OR_RAISE(const auto arrays, MatchColumns(batch));
  ARROW_RETURN_NOT_OK(BindColumns(arrays, &bound_));
  ARROW_RETURN_NOT_OK(MakeKeyOps(bound_));
  ARROW_RETURN_NOT_OK(MakeFieldOps(bound_));
  rows_ = batch.num_rows();
  return arrow::Status::OK();
}

arrow::Status RowEncoder::Impl::RefuseCell(const EncodeOp& op, int64_t i) const {
  const ColumnType& type = column(op.column).type;
  const std::vector<Value> key_values = BoundKeyValues(bound_, i);
  if (op.source.IsNull(i)) return RefuseNull(op.column, key_values);
  if (type.is_variable())
    return Refuse(op.column, key_values, "the text is not valid UTF-8: use a BLOB column for bytes");
  const auto scalar = op.source.array->GetScalar(i);
  return Refuse(
      op.column, key_values,
      "value " + (scalar.ok() ? (*scalar)->ToString() : "?") + " does not fit " + type.ToString() + RangeHint(type));
}

arrow::Status RowEncoder::Impl::EncodeRow(int64_t i, std::string* key, std::string* row) {
  if (i < 0 || i >= rows_) [[unlikely]] {
    return arrow::Status::IndexError("row ", i, " of a bound batch of ", rows_, " rows");
  }
  key->assign(prefix_);
  for (const EncodeOp& op : key_ops_) {
    if (op.is_constant) {
      key->append(op.constant);
    } else if (!op.write_key(op, i, key)) [[unlikely]] {
      return RefuseCell(op, i);
    }
  }

  size_t text_bytes = 0;
  for (size_t t = 0; t < text_ops_.size(); ++t) {
    const EncodeOp& op = text_ops_[t];
    text_bytes += op.is_constant ? op.constant.size() : op.source.IsNull(i) ? 0 : op.source.Text(i).size();
    ends_[t] = static_cast<uint32_t>(text_bytes);
  }
  const bool wide = text_bytes > std::numeric_limits<uint16_t>::max();
  const uint8_t flags = wide ? kRowWideOffsets : 0;
  const size_t text_start = schema_->current().layout.min_size(flags);
  if (text_start + text_bytes > kMaxRowSize) [[unlikely]] {
    return arrow::Status::CapacityError(Where(schema_->key_columns()[0], BoundKeyValues(bound_, i)), ": a row of ",
                                        text_start + text_bytes, " bytes is too large: the limit is ", kMaxRowSize);
  }
  row->resize(text_start + text_bytes);
  char* const bytes = row->data();
  std::memcpy(bytes, head_.data(), head_.size());
  bytes[1] = static_cast<char>(flags);
  for (const EncodeOp& op : fixed_ops_) {
    if (!op.write_field(op, i, bytes)) [[unlikely]]
      return RefuseCell(op, i);
  }
  char* ends = bytes + head_.size();
  char* text_at = bytes + text_start;
  for (size_t t = 0; t < text_ops_.size(); ++t) {
    const EncodeOp& op = text_ops_[t];
    std::memcpy(ends, &ends_[t], wide ? 4 : 2);  // little-endian: the low bytes come first
    ends += wide ? 4 : 2;
    if (!op.is_constant && op.source.IsNull(i)) {
      batch::MarkNull(op, bytes);
      if (!op.nullable) [[unlikely]]
        return RefuseCell(op, i);
      continue;
    }
    const std::string_view text = op.is_constant ? op.constant : op.source.Text(i);
    if (op.is_utf8 && !batch::IsValidUtf8(text)) [[unlikely]]
      return RefuseCell(op, i);
    std::memcpy(text_at, text.data(), text.size());
    text_at += text.size();
  }
  return arrow::Status::OK();
}

RowEncoder::RowEncoder(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix)
    : impl_(std::make_unique<Impl>(std::move(row_schema), std::move(key_prefix))) {}
RowEncoder::~RowEncoder() = default;

arrow::Status RowEncoder::EncodeValues(std::span<const Value> values, std::string* key, std::string* row) {
  return impl_->EncodeValues(values, key, row);
}
arrow::Status RowEncoder::EncodeKey(std::span<const Value> key_values, std::string* key) {
  return impl_->EncodeKey(key_values, key);
}
void RowEncoder::AllowMissingColumns() {
  impl_->AllowMissingColumns();
}
arrow::Status RowEncoder::BindBatch(const arrow::RecordBatch& batch) {
  return impl_->BindBatch(batch);
}
arrow::Status RowEncoder::EncodeRow(int64_t i, std::string* key, std::string* row) {
  return impl_->EncodeRow(i, key, row);
}

}  // namespace yarrow
