#include <parquet/statistics.h>
#include <parquet/types.h>

#include <cstring>
#include <utility>

#include "cold/parquet_form.h"
#include "type/type_traits.h"
#include "type/value_range.h"

namespace yarrow::cold {
namespace {

// The unscaled value from big-endian two's complement bytes.
Int128 LoadBigEndianDecimal(std::string_view bytes) {
  Int128 unscaled = static_cast<signed char>(bytes[0]) < 0 ? -1 : 0;
  for (const char byte : bytes) unscaled = unscaled * 256 + static_cast<uint8_t>(byte);
  return unscaled;
}

Value FromInteger(int64_t number, const ColumnType& type) {
  if (IsUnsigned(type)) return Value(static_cast<uint64_t>(number));
  if (KindOf(type) == TypeKind::kDecimal) return Value(Decimal{number, type.scale});
  const bool is_in_millis = KindOf(type) == TypeKind::kTimestamp && type.unit == TimeUnit::kSecond;
  return Value(is_in_millis && !IsInfiniteTimestamp(number) ? number / UnitsPerSecond(TimeUnit::kMilli) : number);
}

Value ToValue(bool flag, const ColumnType&, int) {
  return Value(flag);
}
Value ToValue(int32_t number, const ColumnType& type, int) {
  return FromInteger(IsUnsigned(type) ? static_cast<int64_t>(static_cast<uint32_t>(number)) : number, type);
}
Value ToValue(int64_t number, const ColumnType& type, int) {
  return FromInteger(number, type);
}
Value ToValue(float real, const ColumnType&, int) {
  return Value(static_cast<double>(real));
}
Value ToValue(double real, const ColumnType&, int) {
  return Value(real);
}
Value ToValue(const parquet::ByteArray& bytes, const ColumnType&, int) {
  return Value(std::string(reinterpret_cast<const char*>(bytes.ptr), bytes.len));
}
Value ToValue(const parquet::FixedLenByteArray& bytes, const ColumnType& type, int width) {
  if (type.id == TypeId::kDecimal128) {
    const std::string_view text(reinterpret_cast<const char*>(bytes.ptr), static_cast<size_t>(width));
    return Value(Decimal{LoadBigEndianDecimal(text), type.scale});
  }
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), bytes.ptr, uuid.bytes.size());
  return Value(uuid);
}

template <class ParquetType>
void SetBounds(const parquet::Statistics& untyped, ColumnStatistics* out) {
  const auto& statistics = static_cast<const parquet::TypedStatistics<ParquetType>&>(untyped);
  const int width = statistics.descr()->type_length();
  out->min = ToValue(statistics.min(), out->type, width);
  out->max = ToValue(statistics.max(), out->type, width);
  out->min_is_exact = statistics.is_min_value_exact().value_or(true);
  out->max_is_exact = statistics.is_max_value_exact().value_or(true);
}

void SetBoundsByType(const parquet::Statistics& statistics, ColumnStatistics* out) {
  switch (statistics.physical_type()) {
    case parquet::Type::BOOLEAN:
      return SetBounds<parquet::BooleanType>(statistics, out);
    case parquet::Type::INT32:
      return SetBounds<parquet::Int32Type>(statistics, out);
    case parquet::Type::INT64:
      return SetBounds<parquet::Int64Type>(statistics, out);
    case parquet::Type::FLOAT:
      return SetBounds<parquet::FloatType>(statistics, out);
    case parquet::Type::DOUBLE:
      return SetBounds<parquet::DoubleType>(statistics, out);
    case parquet::Type::BYTE_ARRAY:
      return SetBounds<parquet::ByteArrayType>(statistics, out);
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return SetBounds<parquet::FLBAType>(statistics, out);
    default:
      return;  // no type of ours lies so
  }
}

}  // namespace

std::optional<ColumnStatistics> ChunkStatistics(const parquet::ColumnChunkMetaData& chunk, uint32_t column_id,
                                                const ColumnType& type) {
  const std::shared_ptr<parquet::Statistics> statistics = chunk.is_stats_set() ? chunk.statistics() : nullptr;
  if (statistics == nullptr || !statistics->HasNullCount()) return std::nullopt;
  ColumnStatistics out;
  out.column_id = column_id;
  out.type = type;
  out.null_count = static_cast<uint64_t>(statistics->null_count());
  // Those of texts are not those of the values that they stand for.
  const bool has_bounds = IsBatchTypeArrow(type) || IsText(type);
  if (has_bounds && statistics->HasMinMax()) SetBoundsByType(*statistics, &out);
  return out;
}

}  // namespace yarrow::cold
