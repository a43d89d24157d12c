#include "table_fixture.h"

#include <arrow/extension/uuid.h>

#include <cmath>
#include <limits>

#include "batch/exact_cast.h"
#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"
#include "type/value_array.h"
#include "type/value_check.h"
#include "value_generator.h"

namespace yarrow::test {
namespace {

std::vector<Value> ExtremeText(bool is_utf8) {
  std::vector<Value> cells = {std::string(), std::string("\0", 1), std::string("a\0b\0\0", 5), std::string("\x01")};
  for (const size_t size : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 300, 70000})
    cells.emplace_back(std::string(size, 'x'));
  for (const char* text : {"ż", "abcé", "zażółć gęślą jaźń", "日本"}) cells.emplace_back(text);
  if (!is_utf8) cells.emplace_back(std::string("\xFF\xFE\x00\x80", 4));
  return cells;
}

template <class Float>
std::vector<Value> ExtremeFloats() {
  using Limits = std::numeric_limits<Float>;
  return {Float{0},           -Float{0},           Float{1},           -Float{1},
          Limits::max(),      Limits::lowest(),    Limits::min(),      Limits::denorm_min(),
          Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()};
}

}  // namespace

std::vector<ColumnType> AllTypes() {
  return {TypeId::kBool,
          TypeId::kInt8,
          TypeId::kInt16,
          TypeId::kInt32,
          TypeId::kInt64,
          TypeId::kUInt8,
          TypeId::kUInt16,
          TypeId::kUInt32,
          TypeId::kUInt64,
          TypeId::kFloat,
          TypeId::kDouble,
          ColumnType::Decimal(1, 1),
          ColumnType::Decimal(9, 2),
          ColumnType::Decimal(38, 10),
          TypeId::kUtf8,
          TypeId::kBinary,
          TypeId::kDate32,
          ColumnType::Time(TimeUnit::kMicro),
          ColumnType::Time(TimeUnit::kNano),
          ColumnType::Timestamp(TimeUnit::kSecond),
          ColumnType::Timestamp(TimeUnit::kMilli),
          ColumnType::Timestamp(TimeUnit::kMicro, "UTC"),
          ColumnType::Timestamp(TimeUnit::kNano),
          TypeId::kUuid,
          TypeId::kHugeint,
          TypeId::kUHugeint,
          TypeId::kInterval,
          TypeId::kTimeTz,
          TypeId::kBit,
          TypeId::kBignum,
          TypeId::kJson,
          TypeId::kGeometry,
          ColumnType::Enum({"b", "a", ""}),
          ColumnType::List(TypeId::kInt32),
          ColumnType::List(ColumnType::List(TypeId::kUtf8)),
          ColumnType::Array(TypeId::kDouble, 3),
          ColumnType::Map(TypeId::kUtf8, TypeId::kInterval),
          ColumnType::Union({{"num", TypeId::kInt64}, {"Tag", TypeId::kUtf8}}),
          ColumnType::Variant(),
          ColumnType::Struct({{"a", TypeId::kHugeint},
                              {"b", ColumnType::List(ColumnType::Struct({{"c", TypeId::kUuid}}))},
                              {"d e", ColumnType::Timestamp(TimeUnit::kSecond)}})};
}

std::vector<Value> ExtremeCells(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return {true, false};
    case TypeId::kFloat:
      return ExtremeFloats<float>();
    case TypeId::kDouble:
      return ExtremeFloats<double>();
    case TypeId::kDecimal128: {
      const Int128 most = PowerOfTen(type.precision) - 1;
      return {Decimal{most, type.scale}, Decimal{-most, type.scale}, Decimal{0, type.scale}, Decimal{-1, type.scale}};
    }
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return ExtremeText(type.id == TypeId::kUtf8);
    case TypeId::kTime64:
      return {int64_t{0}, int64_t{1}, UnitsPerDay(type.unit)};
    case TypeId::kUuid: {
      Uuid full;
      full.bytes.fill(0xFF);
      Uuid counting;
      for (size_t i = 0; i < 16; ++i) counting.bytes[i] = static_cast<uint8_t>(i);
      return {Uuid(), full, counting};
    }
    default:
      break;
  }
  if (type.id > TypeId::kUuid) {
    ValueGenerator generator(7);
    std::vector<Value> cells;
    for (int i = 0; i < 12; ++i) cells.push_back(generator.AnyValue(type));
    return cells;
  }
  const IntegerRange range = RangeOf(type);
  if (range.least < 0) {
    return {static_cast<int64_t>(range.least), static_cast<int64_t>(range.greatest), int64_t{0}, int64_t{-1},
            int64_t{1}};
  }
  return {uint64_t{0}, static_cast<uint64_t>(range.greatest), uint64_t{1}};
}

Value RandomCell(const ColumnType& type, std::mt19937_64& random) {
  if (type.id > TypeId::kUuid) return ValueGenerator(random()).AnyValue(type);
  const std::vector<Value> extremes = ExtremeCells(type);
  // Long text is left to the tests that ask for it.
  if (random() % 4 == 0 && !type.is_variable()) return extremes[random() % extremes.size()];
  const auto bits = static_cast<int64_t>(random() >> (random() % 64));
  switch (type.id) {
    case TypeId::kBool:
      return bits % 2 == 0;
    case TypeId::kFloat:
      return static_cast<float>(bits) / 16;
    case TypeId::kDouble:
      return static_cast<double>(bits) / 16;
    case TypeId::kDecimal128:
      return Decimal{bits % PowerOfTen(type.precision), type.scale};
    case TypeId::kUtf8:
    case TypeId::kBinary: {
      std::string text(random() % 24, '\0');
      for (char& c : text) c = static_cast<char>(random() % 128);
      if (type.id == TypeId::kUtf8 && random() % 4 == 0) text += "é";
      return text;
    }
    case TypeId::kTime64:
      return static_cast<int64_t>(static_cast<uint64_t>(bits) % (static_cast<uint64_t>(UnitsPerDay(type.unit)) + 1));
    case TypeId::kUuid: {
      Uuid uuid;
      for (uint8_t& byte : uuid.bytes) byte = static_cast<uint8_t>(random());
      return uuid;
    }
    default:
      break;
  }
  const IntegerRange range = RangeOf(type);
  const Int128 span = range.greatest - range.least + 1;
  const Int128 number = range.least + static_cast<Int128>(random()) % span;
  return range.least < 0 ? Value(static_cast<int64_t>(number)) : Value(static_cast<uint64_t>(number));
}

arrow::Result<std::shared_ptr<const RowSchema>> MakeTable(const TableSpec& spec) {
  RowSchema::Options options;
  options.table_name = "app.t";
  options.columns = spec.columns;
  options.key_column_ids = spec.key_ids;
  options.key_prefix_size = kPrefix.size();
  RowVersion version{1, RowSchema::StoredColumnIds(spec.columns, spec.key_ids), {}};
  for (const uint32_t id : version.column_ids) {
    for (const RowColumn& column : spec.columns) {
      if (column.id == id) version.types.push_back(column.type);
    }
  }
  options.versions = {version};
  return RowSchema::Make(std::move(options));
}

TableSpec AllTypesTable() {
  TableSpec spec{{{1, "id", TypeId::kInt64, false, {}}}, {1}};
  for (const ColumnType& type : AllTypes()) {
    const auto id = static_cast<uint32_t>(spec.columns.size() + 1);
    spec.columns.push_back({id, "c" + std::to_string(id), type, true, {}});
  }
  return spec;
}

arrow::Result<std::shared_ptr<arrow::Array>> MakeArray(const ColumnType& type, const std::vector<Value>& values) {
  if (type.id == TypeId::kUuid) {
    arrow::FixedSizeBinaryBuilder builder(arrow::fixed_size_binary(16));
    for (const Value& value : values) {
      ARROW_RETURN_NOT_OK(value.is_null() ? builder.AppendNull() : builder.Append(value.get<Uuid>().bytes.data()));
    }
    ARROW_ASSIGN_OR_RAISE(const auto storage, builder.Finish());
    return arrow::ExtensionType::WrapArray(arrow::extension::uuid(), storage);
  }
  if (!IsBatchTypeArrow(type)) return ArrayOfValues(values, type);
  ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(type.ToArrow()));
  for (const Value& value : values) {
    ARROW_ASSIGN_OR_RAISE(const auto scalar, value.ToScalar(type));
    ARROW_RETURN_NOT_OK(builder->AppendScalar(*scalar));
  }
  return builder->Finish();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> MakeBatch(const RowSchema& schema,
                                                             const std::vector<std::vector<Value>>& rows) {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (size_t c = 0; c < schema.columns().size(); ++c) {
    std::vector<Value> cells;
    for (const std::vector<Value>& row : rows) cells.push_back(row[c]);
    const ColumnType& type = schema.columns()[c].type;
    ARROW_ASSIGN_OR_RAISE(auto array, MakeArray(type, cells));
    batch::Misfit misfit{-1, {}};
    if (!IsBatchTypeArrow(type)) {
      ARROW_ASSIGN_OR_RAISE(array, batch::ExactCast(array, type, &misfit));
    }
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(schema.arrow_schema(), static_cast<int64_t>(rows.size()), std::move(arrays));
}

bool SameBatch(const arrow::RecordBatch& a, const arrow::RecordBatch& b) {
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
  return a.Equals(b, /*check_metadata=*/true, options);
}

}  // namespace yarrow::test
