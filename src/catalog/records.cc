#include "catalog/records.h"

#include <cassert>
#include <chrono>
#include <cstring>
#include <utility>

#include "row/row_layout.h"
#include "type/nested_bytes.h"

namespace yarrow {
namespace {

Value OrNull(const std::string& text) {
  return text.empty() ? Value::Null() : Value(text);
}
Value OrNull(const std::optional<std::string>& text) {
  return text ? Value(*text) : Value::Null();
}
Value OrNull(const std::optional<uint32_t>& number) {
  return number ? Value(*number) : Value::Null();
}
Value OrNull(const std::optional<int64_t>& number) {
  return number ? Value(*number) : Value::Null();
}

Value OrNull(const std::optional<uint64_t>& number) {
  return number ? Value(*number) : Value::Null();
}
Value OrNull(const std::optional<double>& number) {
  return number ? Value(*number) : Value::Null();
}
// Of a policy, where 0 is off.
template <class Number>
Value OrOff(Number number) {
  return number == 0 ? Value::Null() : Value(number);
}

uint32_t U32(const Value& value) {
  return static_cast<uint32_t>(value.get<uint64_t>());
}
template <class Number>
std::optional<Number> OptionalNumber(const Value& value) {
  return value.is_null() ? std::nullopt : std::optional<Number>(value.get<Number>());
}
std::optional<uint32_t> OptionalU32(const Value& value) {
  return value.is_null() ? std::nullopt : std::optional<uint32_t>(U32(value));
}
template <class Number>
Number NumberOr(const Value& value, Number otherwise) {
  return value.is_null() ? otherwise : value.get<Number>();
}
std::string_view OptimizeForName(OptimizeFor layout) {
  return layout == OptimizeFor::kScan ? "scan" : "lookup";
}
std::optional<std::string> OptionalText(const Value& value) {
  return value.is_null() ? std::nullopt : std::optional<std::string>(value.get<std::string>());
}

// NULL when there is none.
Value ToList(const std::vector<std::string>& texts) {
  if (texts.empty()) return Value::Null();
  std::string bytes;
  AppendListHead(texts.size(), /*has_null=*/false, &bytes);
  for (const std::string& text : texts) AppendBytes(text, &bytes);
  return Value(std::move(bytes));
}

// Of bytes that are a whole value of the type, without NULLs.
std::vector<std::string> ToTexts(const Value& list) {
  if (list.is_null()) return {};
  const auto bytes = list.get<std::string>();
  NestedReader reader(bytes);
  uint64_t count = 0;
  NullBits nulls;
  std::vector<std::string> texts;
  if (!reader.ReadListHead(&count, &nulls)) return texts;
  for (std::string_view text; texts.size() < count && reader.ReadBytes(&text);) texts.emplace_back(text);
  return texts;
}

// Numbers of a list are stored in 4 bytes, little-endian.
Value ToList(const std::vector<uint32_t>& numbers) {
  std::string bytes;
  AppendListHead(numbers.size(), /*has_null=*/false, &bytes);
  for (const uint32_t number : numbers) bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
  return Value(std::move(bytes));
}

Value ToListOrNull(const std::vector<uint32_t>& numbers) {
  return numbers.empty() ? Value::Null() : ToList(numbers);
}

std::vector<uint32_t> ToNumbers(const Value& list) {
  if (list.is_null()) return {};
  const auto bytes = list.get<std::string>();
  NestedReader reader(bytes);
  uint64_t count = 0;
  NullBits nulls;
  std::vector<uint32_t> numbers;
  if (!reader.ReadListHead(&count, &nulls)) return numbers;
  for (const char* one = nullptr; numbers.size() < count && reader.ReadFixed(sizeof(uint32_t), &one);) {
    numbers.push_back(0);
    std::memcpy(&numbers.back(), one, sizeof(uint32_t));
  }
  return numbers;
}

}  // namespace

int64_t NowMicros() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

Values TableRecord::ToValues() const {
  return ValuesOf(schema_name, table_name, kind, primary_key, schema_version, created_at, OrOff(policy.flush_rows),
                  policy.flush_bytes ? Value(*policy.flush_bytes) : Value::Null(), OrOff(policy.flush_age),
                  policy.min_user_rows, OptimizeForName(policy.optimize_for),
                  policy.expires() ? Value(policy.ttl_column) : Value::Null(), OrOff(policy.ttl), ToList(checks),
                  OrNull(comment));
}

TableRecord TableRecord::FromValues(const Values& v) {
  TierPolicy policy;
  policy.flush_rows = NumberOr<uint64_t>(v[6], 0);
  if (!v[7].is_null()) policy.flush_bytes = NumberOr<uint64_t>(v[7], 0);
  policy.flush_age = NumberOr<int64_t>(v[8], 0);
  policy.min_user_rows = NumberOr<int64_t>(v[9], policy.min_user_rows);
  if (OptionalText(v[10]) == OptimizeForName(OptimizeFor::kLookup)) policy.optimize_for = OptimizeFor::kLookup;
  policy.ttl_column = OptionalText(v[11]).value_or("");
  policy.ttl = NumberOr<int64_t>(v[12], 0);
  return {.schema_name = v[0].get<std::string>(),
          .table_name = v[1].get<std::string>(),
          .kind = v[2].get<std::string>(),
          .primary_key = v[3].get<std::string>(),
          .schema_version = U32(v[4]),
          .created_at = v[5].get<int64_t>(),
          .policy = std::move(policy),
          .checks = ToTexts(v[13]),
          .comment = OptionalText(v[14]).value_or("")};
}

Values ColumnRecord::ToValues() const {
  return ValuesOf(schema_name, table_name, column_name, position, type, nullable, OrNull(default_value),
                  OrNull(key_position), hidden, added_version, OrNull(dropped_version), OrNull(initial_value),
                  OrNull(former_types), OrNull(default_expression), OrNull(generation_expression), OrNull(comment),
                  OrNull(collation));
}

ColumnRecord ColumnRecord::FromValues(const Values& v) {
  return {.schema_name = v[0].get<std::string>(),
          .table_name = v[1].get<std::string>(),
          .column_name = v[2].get<std::string>(),
          .position = U32(v[3]),
          .type = v[4].get<std::string>(),
          .nullable = v[5].get<bool>(),
          .default_value = OptionalText(v[6]),
          .key_position = OptionalU32(v[7]),
          .hidden = v[8].get<bool>(),
          .added_version = U32(v[9]),
          .dropped_version = OptionalU32(v[10]),
          .initial_value = OptionalText(v[11]),
          .former_types = OptionalText(v[12]),
          .default_expression = OptionalText(v[13]),
          .generation_expression = OptionalText(v[14]),
          .comment = OptionalText(v[15]).value_or(""),
          .collation = OptionalText(v[16]).value_or("")};
}

Values ObjectRecord::ToValues() const {
  return ValuesOf(sql, definition, created_at, OrNull(owner_table_id));
}

ObjectRecord ObjectRecord::FromValues(const Values& v) {
  return {v[0].get<std::string>(), v[1].get<std::string>(), v[2].get<int64_t>(), OptionalU32(v[3])};
}

Values IndexRecord::ToValues() const {
  return ValuesOf(schema_name, table_name, OrNull(index_name), ToList(column_ids), columns, unique, is_building,
                  OrNull(referenced_table_id), ToListOrNull(referenced_column_ids), OrNull(comment),
                  ToList(expressions), ToList(expression_types), ToListOrNull(expression_column_ids));
}

IndexRecord IndexRecord::FromValues(const Values& v) {
  return {.schema_name = v[0].get<std::string>(),
          .table_name = v[1].get<std::string>(),
          .index_name = OptionalText(v[2]).value_or(""),
          .column_ids = ToNumbers(v[3]),
          .columns = v[4].get<std::string>(),
          .unique = v[5].get<bool>(),
          .is_building = v[6].get<bool>(),
          .referenced_table_id = OptionalU32(v[7]),
          .referenced_column_ids = ToNumbers(v[8]),
          .comment = OptionalText(v[9]).value_or(""),
          .expressions = ToTexts(v[10]),
          .expression_types = ToTexts(v[11]),
          .expression_column_ids = ToNumbers(v[12])};
}

Values JobRecord::ToValues() const {
  return ValuesOf(kind, target, state, rows, bytes, OrNull(error), started_at, OrNull(finished_at), OrNull(files),
                  OrNull(progress), OrNull(duration));
}

JobRecord JobRecord::FromValues(const Values& v) {
  return {.kind = v[0].get<std::string>(),
          .target = v[1].get<std::string>(),
          .state = v[2].get<std::string>(),
          .rows = v[3].get<uint64_t>(),
          .bytes = v[4].get<uint64_t>(),
          .error = OptionalText(v[5]),
          .started_at = v[6].get<int64_t>(),
          .finished_at = OptionalNumber<int64_t>(v[7]),
          .files = OptionalNumber<uint64_t>(v[8]),
          .progress = OptionalNumber<double>(v[9]),
          .duration = OptionalNumber<double>(v[10])};
}

void EncodeSystemKey(SystemTableId table, const Values& values, std::string* out) {
  [[maybe_unused]] const arrow::Status status = SystemTableRowSchema(table)->key_codec().Encode(values, out);
  assert(status.ok());
}

arrow::Result<Values> DecodeSystemKey(SystemTableId table, std::string_view key) {
  return SystemTableRowSchema(table)->key_codec().Decode(key);
}

void EncodeSystemRow(SystemTableId table, const Values& values, std::string* out) {
  const auto schema = SystemTableRowSchema(table);
  RowWriter writer(&schema->current().layout);
  writer.Reset();
  [[maybe_unused]] arrow::Status status;
  for (size_t field = 0; field < values.size() && status.ok(); ++field) {
    if (!values[field].is_null()) status = writer.Set(field, values[field]);
  }
  assert(status.ok());
  std::string row;
  status = writer.Finish(/*deleted=*/false, &row);
  assert(status.ok());
  out->append(row);
}

arrow::Result<Values> DecodeSystemRow(SystemTableId table, std::string_view row) {
  const auto schema = SystemTableRowSchema(table);
  ARROW_ASSIGN_OR_RAISE(const uint32_t number, RowSchemaVersion(row));
  const RowSchema::Version* version = schema->FindVersion(number);
  if (version == nullptr) {
    return arrow::Status::Invalid("table ", schema->table_name(), ": a row has the unknown schema version ", number,
                                  ": damaged, or written by a newer version of the program");
  }
  const RowLayout& layout = version->layout;
  ARROW_RETURN_NOT_OK(ValidateRow(layout, row));
  Values values;
  values.reserve(schema->current().layout.field_count());
  for (size_t field = 0; field < layout.field_count(); ++field) {
    ARROW_ASSIGN_OR_RAISE(Value value, ReadField(layout, row, field));
    values.push_back(std::move(value));
  }
  values.resize(schema->current().layout.field_count());  // columns are only ever added at the end
  return values;
}

}  // namespace yarrow
