#include "predicate_table.h"

#include <arrow/array/builder_base.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_widening.h"
#include "type/value_check.h"

namespace yarrow::test {
namespace {

template <class T>
const T& Pick(const std::vector<T>& from, Random& random) {
  return from[Below(random, from.size())];
}

Value RandomInteger(const ColumnType& type, Random& random) {
  const IntegerRange range = RangeOf(type);
  const std::vector<Int128> numbers = {
      range.least, range.greatest, range.least + 1, range.greatest - 1, 0, 1, 2, 3, 5, 100, -1, -7};
  Int128 number = Pick(numbers, random);
  if (number < range.least || number > range.greatest) number = 1;
  return number < 0 ? *Value(static_cast<int64_t>(number)).CastTo(type)
                    : *Value(static_cast<uint64_t>(number)).CastTo(type);
}

Value RandomReal(const ColumnType& type, Random& random) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool is_float = type.id == TypeId::kFloat;
  const double greatest =
      is_float ? static_cast<double>(std::numeric_limits<float>::max()) : std::numeric_limits<double>::max();
  return Value(Pick<double>(
      {std::nan(""), -std::nan(""), kInfinity, -kInfinity, 0.0, -0.0, 1.0, -1.0, 1.5, 5.0, 100.0, greatest, -greatest},
      random));
}

Value RandomText(Random& random) {
  return Value(Pick<std::string>(
      {"", "a", "ab", "abc", "abd", "b", std::string("a\0", 2), std::string("\0", 1), std::string("a\0b", 3),
       std::string("\0\0", 2), "\xC3\xA4", "\xF4\x8F\xBF\xBF", "A%", "a_c", "x'y", "abcdefghijklmnopqrstuvwxyz"},
      random));
}

Value RandomBytes(Random& random) {
  if (OneIn(random, 2)) return RandomText(random);
  return Value(Pick<std::string>({"\xFF", "\xFF\xFF", std::string("\xFF\0", 2), std::string("\0\xFF", 2), "a\xFF",
                                  std::string("\0\1", 2), std::string("a\0\1", 3), "\x01"},
                                 random));
}

Value RandomDecimal(const ColumnType& type, Random& random) {
  const Int128 greatest = PowerOfTen(type.precision) - 1;
  const Int128 one = PowerOfTen(type.scale);
  Int128 unscaled = Pick<Int128>({greatest, -greatest, 0, 1, -1, one, -one, 5 * one, 15 * one / 10}, random);
  if (unscaled > greatest || unscaled < -greatest) unscaled = 1;
  return Value(Decimal{unscaled, type.scale});
}

Value RandomUuid(Random& random) {
  Uuid uuid;
  for (uint8_t& byte : uuid.bytes) byte = OneIn(random, 2) ? 0 : 0xFF;
  if (OneIn(random, 2)) uuid.bytes.fill(static_cast<uint8_t>(Pick<int>({0, 1, 0xFF}, random)));
  return Value(uuid);
}

// A type that widens to it, if there is one.
std::optional<ColumnType> NarrowerType(const ColumnType& type, Random& random) {
  std::vector<ColumnType> narrower;
  for (const TypeId id : {TypeId::kInt8, TypeId::kInt16, TypeId::kInt32, TypeId::kUInt8, TypeId::kUInt16,
                          TypeId::kUInt32, TypeId::kFloat}) {
    if (IsWidening(id, type)) narrower.push_back(id);
  }
  if (type.id == TypeId::kDecimal128 && type.precision > type.scale) {
    narrower.push_back(ColumnType::Decimal(type.precision - 1, type.scale));
  }
  return narrower.empty() ? std::nullopt : std::optional<ColumnType>(Pick(narrower, random));
}

arrow::Result<std::shared_ptr<arrow::Array>> ToArray(const std::vector<EncodedRow>& rows, size_t column,
                                                     const ColumnType& type) {
  // There are no builders of extension types: a UUID is built as what it is stored as.
  const bool is_uuid = type.id == TypeId::kUuid;
  const std::shared_ptr<arrow::DataType> built = is_uuid ? arrow::fixed_size_binary(16) : type.ToArrow();
  ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(built));
  for (const EncodedRow& row : rows) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Scalar> scalar, row.values[column].ToScalar(type));
    if (!scalar->is_valid) {
      ARROW_RETURN_NOT_OK(builder->AppendNull());
      continue;
    }
    if (is_uuid) scalar = static_cast<const arrow::ExtensionScalar&>(*scalar).value;
    ARROW_RETURN_NOT_OK(builder->AppendScalar(*scalar));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> array, builder->Finish());
  return is_uuid ? arrow::ExtensionType::WrapArray(type.ToArrow(), array) : array;
}

}  // namespace

ColumnType RandomType(Random& random) {
  const auto id = static_cast<TypeId>(1 + Below(random, 18));
  const auto unit = static_cast<TimeUnit>(Below(random, 4));
  switch (id) {
    case TypeId::kDecimal128:
      return Pick<ColumnType>({ColumnType::Decimal(5, 2), ColumnType::Decimal(18, 0), ColumnType::Decimal(38, 10)},
                              random);
    case TypeId::kTime64:
      return ColumnType::Time(OneIn(random, 2) ? TimeUnit::kMicro : TimeUnit::kNano);
    case TypeId::kTimestamp:
      return ColumnType::Timestamp(unit, OneIn(random, 2) ? "UTC" : "");
    default:
      return id;
  }
}

Value RandomValue(const ColumnType& type, Random& random) {
  switch (type.id) {
    case TypeId::kBool:
      return Value(OneIn(random, 2));
    case TypeId::kFloat:
    case TypeId::kDouble:
      return RandomReal(type, random);
    case TypeId::kDecimal128:
      return RandomDecimal(type, random);
    case TypeId::kUtf8:
      return RandomText(random);
    case TypeId::kBinary:
      return RandomBytes(random);
    case TypeId::kUuid:
      return RandomUuid(random);
    default:
      return RandomInteger(type, random);
  }
}

arrow::Result<TestTable> TestTable::Make(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix) {
  if (key_prefix.size() != row_schema->key_prefix_size()) return arrow::Status::Invalid("prefix size");
  TestTable table;
  table.row_schema_ = std::move(row_schema);
  table.key_prefix_ = std::move(key_prefix);
  return table;
}

arrow::Result<TestTable> TestTable::Random(size_t column_count, size_t key_size, bool old_version, size_t row_count,
                                           test::Random& random) {
  RowSchema::Options options;
  options.table_name = "main.t";
  options.key_prefix_size = 5;
  for (size_t i = 0; i < column_count; ++i) {
    const bool is_key = i < key_size;
    RowColumn column;
    column.id = static_cast<uint32_t>(i + 1);
    column.name = std::string(1, static_cast<char>('a' + i));
    column.type = RandomType(random);
    column.nullable = !is_key && !OneIn(random, 4);
    const bool has_default = !column.nullable || OneIn(random, 2);
    if (has_default && !is_key) column.default_value = RandomValue(column.type, random);
    if (is_key) options.key_column_ids.push_back(column.id);
    options.columns.push_back(std::move(column));
  }
  RowVersion version{1, RowSchema::StoredColumnIds(options.columns, options.key_column_ids), {}};
  for (const uint32_t id : version.column_ids) version.types.push_back(options.columns[id - 1].type);
  if (old_version && column_count > key_size) {
    RowVersion old = version;
    old.column_ids.pop_back();
    old.types.pop_back();
    // A column that was dropped since.
    old.column_ids.insert(old.column_ids.begin(), 99);
    old.types.insert(old.types.begin(), RandomType(random));
    // Others that were widened since.
    for (size_t i = 1; i < old.types.size(); ++i) {
      const bool is_key = std::ranges::count(options.key_column_ids, old.column_ids[i]) > 0;
      const std::optional<ColumnType> narrower = NarrowerType(old.types[i], random);
      if (narrower && !is_key && OneIn(random, 2)) old.types[i] = *narrower;
    }
    options.versions.push_back(std::move(old));
    version.version = 2;
  }
  options.versions.push_back(std::move(version));
  ARROW_ASSIGN_OR_RAISE(auto row_schema, RowSchema::Make(std::move(options)));
  ARROW_ASSIGN_OR_RAISE(TestTable table, Make(std::move(row_schema), std::string("\x02\0\0\0\x07", 5)));
  for (size_t i = 0; i < row_count; ++i) {
    const uint32_t last = table.row_schema_->current().layout.schema_version();
    const RowSchema::Version& row_version =
        *table.row_schema_->FindVersion(last == 1 || OneIn(random, 2) ? last : last - 1);
    std::vector<Value> values;
    for (size_t c = 0; c < row_version.places.size(); ++c) {
      const RowColumn& column = table.row_schema_->columns()[c];
      const bool is_null = column.nullable && OneIn(random, 4);
      values.push_back(is_null ? Value::Null() : RandomValue(column.type, random));
      if (is_null || row_version.places[c].kind != RowSchema::Place::kField) continue;
      const ColumnType& stored = row_version.layout.type(static_cast<size_t>(row_version.places[c].index));
      if (stored == column.type) continue;
      ARROW_ASSIGN_OR_RAISE(values.back(), RandomValue(stored, random).CastTo(column.type));
    }
    ARROW_RETURN_NOT_OK(table.Add(std::move(values), row_version));
  }
  return table;
}

arrow::Status TestTable::Add(std::vector<Value> values, const RowSchema::Version& version) {
  EncodedRow row;
  RowWriter writer(&version.layout);
  writer.Reset();
  for (size_t field = 0; field < version.column_of_field.size(); ++field) {
    const int column = version.column_of_field[field];
    if (column < 0) continue;
    ARROW_ASSIGN_OR_RAISE(const Value stored, values[static_cast<size_t>(column)].CastTo(version.layout.type(field)));
    ARROW_RETURN_NOT_OK(writer.Set(field, stored));
  }
  ARROW_RETURN_NOT_OK(writer.Finish(/*deleted=*/false, &row.row));
  for (size_t i = 0; i < values.size(); ++i) {
    if (version.places[i].kind == RowSchema::Place::kDefault) values[i] = row_schema_->columns()[i].older_value();
  }
  std::vector<Value> key;
  for (const int column : row_schema_->key_columns()) key.push_back(values[static_cast<size_t>(column)]);
  row.key = key_prefix_;
  ARROW_RETURN_NOT_OK(row_schema_->key_codec().Encode(key, &row.key));
  row.values = std::move(values);
  rows_.push_back(std::move(row));
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> TestTable::ToBatch() const {
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < row_schema_->columns().size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(auto array, ToArray(rows_, i, row_schema_->columns()[i].type));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(row_schema_->arrow_schema(), static_cast<int64_t>(rows_.size()), std::move(arrays));
}

std::vector<std::string> TestTable::column_names() const {
  std::vector<std::string> names;
  for (const RowColumn& column : row_schema_->columns()) names.push_back(column.name);
  return names;
}

}  // namespace yarrow::test
