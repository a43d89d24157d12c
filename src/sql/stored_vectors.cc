#include "sql/stored_vectors.h"

#include <duckdb/common/vector_operations/vector_operations.hpp>

#include <cstring>

#include "batch/cell_reader.h"
#include "sql/sql_type.h"
#include "type/field_value.h"
#include "type/stored_form.h"
#include "type/type_traits.h"

namespace yarrow::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::Vector;

template <class T>
T Load(const Vector& vector, idx_t at) {
  return FlatVector::GetData<T>(vector)[at];
}

template <class T>
size_t Put(const T& value, char* out) {
  std::memcpy(out, &value, sizeof(value));
  return sizeof(value);
}

Int128 LoadInteger(const Vector& vector, idx_t at) {
  switch (vector.GetType().InternalType()) {
    case duckdb::PhysicalType::UINT8:
      return Load<uint8_t>(vector, at);
    case duckdb::PhysicalType::UINT16:
      return Load<uint16_t>(vector, at);
    case duckdb::PhysicalType::UINT32:
      return Load<uint32_t>(vector, at);
    case duckdb::PhysicalType::INT16:
      return Load<int16_t>(vector, at);
    case duckdb::PhysicalType::INT32:
      return Load<int32_t>(vector, at);
    case duckdb::PhysicalType::INT64:
      return Load<int64_t>(vector, at);
    default:
      return ToInt128(Load<duckdb::hugeint_t>(vector, at));
  }
}

// Moments in a unit that the column lacks come from DuckDB's microseconds.
size_t StoreScaled(int64_t ticks, const ColumnType& type, char* out) {
  const int64_t factor = MicrosOf(type);
  if (!duckdb::Timestamp::IsFinite(duckdb::timestamp_t(ticks))) return Put(ticks, out);
  if (ticks % factor != 0) {
    throw duckdb::InvalidInputException("%s is too fine for a part of type %s",
                                        duckdb::Timestamp::ToString(duckdb::timestamp_t(ticks)), type.ToString());
  }
  return Put(ticks / factor, out);
}

// The bytes of a value of fixed width, as rows have them; returns how many.
size_t StoreFixed(const Vector& vector, idx_t at, const ColumnType& type, char* out) {
  switch (KindOf(type)) {
    case TypeKind::kDecimal:
      return Put(LoadInteger(vector, at), out);
    case TypeKind::kUuid:
      return Put(FromHugeint(Load<duckdb::hugeint_t>(vector, at)), out);
    case TypeKind::kHugeint: {
      if (type.id == TypeId::kHugeint) return Put(ToSortedBytes(ToInt128(Load<duckdb::hugeint_t>(vector, at))), out);
      const auto number = Load<duckdb::uhugeint_t>(vector, at);
      return Put(ToSortedBytes(static_cast<UInt128>(number.upper) << 64 | number.lower), out);
    }
    case TypeKind::kTimeTz:
      return Put(Load<duckdb::dtime_tz_t>(vector, at).sort_key(), out);
    case TypeKind::kEnum:
      return Put(static_cast<uint32_t>(LoadInteger(vector, at)), out);
    case TypeKind::kTimestamp:
      if (!IsSameUnit(type)) return StoreScaled(Load<int64_t>(vector, at), type, out);
      [[fallthrough]];
    default: {
      const auto width = static_cast<size_t>(type.fixed_width());
      // Not by type, which DuckDB would check.
      std::memcpy(out, FlatVector::GetData(const_cast<Vector&>(vector)) + at * width, width);
      return width;
    }
  }
}

// ---- encoding

void AppendValue(const Vector& vector, idx_t at, const ColumnType& type, std::string* out) {
  if (type.is_nested()) return AppendNestedValue(vector, at, type, out);
  if (type.is_variable()) {
    const auto& text = FlatVector::GetData<duckdb::string_t>(vector)[at];
    return AppendBytes({text.GetData(), text.GetSize()}, out);
  }
  char bytes[16];
  const size_t width = StoreFixed(vector, at, type, bytes);
  out->append(bytes, width);
}

void AppendElements(const Vector& elements, idx_t begin, idx_t count, const ColumnType& type, std::string* out) {
  const auto& validity = FlatVector::Validity(elements);
  bool has_null = false;
  for (idx_t i = begin; i < begin + count && !validity.AllValid(); ++i) has_null = has_null || !validity.RowIsValid(i);
  AppendListHead(count, has_null, out);
  const size_t nulls = has_null ? AppendNullBitmap(count, out) : 0;
  for (idx_t i = 0; i < count; ++i) {
    if (has_null && !validity.RowIsValid(begin + i)) {
      SetNullBit(nulls, i, out);
    } else {
      AppendValue(elements, begin + i, type, out);
    }
  }
}

// Of a UNION only the tagged member is there.
void AppendFields(const Vector& vector, idx_t at, const ColumnType& type, std::string* out) {
  const auto& fields = duckdb::StructVector::GetEntries(vector);
  const std::vector<TypeMember>& members = LayoutOf(type).members();
  const bool is_union = type.id == TypeId::kUnion;
  const idx_t tagged = is_union ? 1 + Load<uint8_t>(*fields[0], at) : 0;
  const size_t nulls = AppendNullBitmap(members.size(), out);
  for (idx_t f = 0; f < members.size(); ++f) {
    const bool is_other = is_union && f > 0 && f != tagged;
    if (is_other || FlatVector::IsNull(*fields[f], at)) {
      SetNullBit(nulls, f, out);
    } else {
      AppendValue(*fields[f], at, members[f].type, out);
    }
  }
}

// ---- decoding

template <class T>
void Store(Vector* vector, idx_t at, const T& value) {
  FlatVector::GetData<T>(*vector)[at] = value;
}

void PutInteger(Int128 number, Vector* vector, idx_t at) {
  switch (vector->GetType().InternalType()) {
    case duckdb::PhysicalType::UINT8:
      return Store(vector, at, static_cast<uint8_t>(number));
    case duckdb::PhysicalType::UINT16:
      return Store(vector, at, static_cast<uint16_t>(number));
    case duckdb::PhysicalType::UINT32:
      return Store(vector, at, static_cast<uint32_t>(number));
    case duckdb::PhysicalType::INT16:
      return Store(vector, at, static_cast<int16_t>(number));
    case duckdb::PhysicalType::INT32:
      return Store(vector, at, static_cast<int32_t>(number));
    case duckdb::PhysicalType::INT64:
      return Store(vector, at, static_cast<int64_t>(number));
    default:
      return Store(vector, at, duckdb::hugeint_t(static_cast<int64_t>(number >> 64), static_cast<uint64_t>(number)));
  }
}

bool PutScaled(int64_t ticks, const ColumnType& type, Vector* vector, idx_t at) {
  int64_t scaled = ticks;
  const bool is_finite = duckdb::Timestamp::IsFinite(duckdb::timestamp_t(ticks));
  if (is_finite && __builtin_mul_overflow(ticks, MicrosOf(type), &scaled)) return false;
  Store(vector, at, scaled);
  return true;
}

bool PutFixed(const char* bytes, const ColumnType& type, Vector* vector, idx_t at) {
  if (CheckFixedBytes(type, bytes) != nullptr) return false;
  const auto* unsigned_bytes = reinterpret_cast<const uint8_t*>(bytes);
  switch (KindOf(type)) {
    case TypeKind::kDecimal:
      PutInteger(batch::LoadLittle<Int128>(unsigned_bytes), vector, at);
      return true;
    case TypeKind::kUuid:
      Store(vector, at, ToHugeint(batch::LoadLittle<Uuid>(unsigned_bytes)));
      return true;
    case TypeKind::kHugeint: {
      const Uuid stored = batch::LoadLittle<Uuid>(unsigned_bytes);
      if (type.id == TypeId::kHugeint) {
        PutInteger(HugeintFromSorted(stored), vector, at);
      } else {
        const UInt128 number = UHugeintFromSorted(stored);
        Store(vector, at, duckdb::uhugeint_t(static_cast<uint64_t>(number >> 64), static_cast<uint64_t>(number)));
      }
      return true;
    }
    case TypeKind::kTimeTz:
      Store(vector, at, TimeTzFromSorted(batch::LoadLittle<uint64_t>(unsigned_bytes)));
      return true;
    case TypeKind::kEnum:
      PutInteger(batch::LoadLittle<uint32_t>(unsigned_bytes), vector, at);
      return true;
    case TypeKind::kTimestamp:
      if (!IsSameUnit(type)) return PutScaled(batch::LoadLittle<int64_t>(unsigned_bytes), type, vector, at);
      [[fallthrough]];
    default: {
      const auto width = static_cast<size_t>(type.fixed_width());
      std::memcpy(FlatVector::GetData(*vector) + at * width, bytes, width);
      return true;
    }
  }
}

bool PutValue(NestedReader* reader, const ColumnType& type, Vector* vector, idx_t at);

// Whether the elements lie in a vector as they do in the bytes, and need no check.
bool LieAlike(const ColumnType& type) {
  const TypeKind kind = KindOf(type);
  return kind == TypeKind::kInteger || kind == TypeKind::kReal || kind == TypeKind::kDate ||
         (kind == TypeKind::kTimestamp && IsSameUnit(type));
}

bool PutElements(NestedReader* reader, uint64_t count, const NullBits& nulls, const ColumnType& type, Vector* elements,
                 idx_t begin) {
  if (!nulls.has_bits() && LieAlike(type)) {
    const auto width = static_cast<size_t>(type.fixed_width());
    const char* bytes = nullptr;
    if (!reader->ReadFixed(width * count, &bytes)) return false;
    if (count > 0) std::memcpy(FlatVector::GetData(*elements) + begin * width, bytes, width * count);
    return true;
  }
  for (uint64_t i = 0; i < count; ++i) {
    if (nulls.IsNull(i)) {
      FlatVector::SetNull(*elements, begin + i, true);
    } else if (!PutValue(reader, type, elements, begin + i)) {
      return false;
    }
  }
  return true;
}

bool PutList(NestedReader* reader, const ColumnType& layout, Vector* vector, idx_t at) {
  uint64_t count = 0;
  NullBits nulls;
  if (!reader->ReadListHead(&count, &nulls)) return false;
  const idx_t begin = duckdb::ListVector::GetListSize(*vector);
  duckdb::ListVector::Reserve(*vector, begin + count);
  Store(vector, at, duckdb::list_entry_t(begin, count));
  duckdb::ListVector::SetListSize(*vector, begin + count);
  return PutElements(reader, count, nulls, layout.members()[0].type, &duckdb::ListVector::GetEntry(*vector), begin);
}

bool PutArray(NestedReader* reader, const ColumnType& layout, Vector* vector, idx_t at) {
  uint64_t count = 0;
  NullBits nulls;
  if (!reader->ReadListHead(&count, &nulls) || count != layout.array_size()) return false;
  Vector& elements = duckdb::ArrayVector::GetEntry(*vector);
  return PutElements(reader, count, nulls, layout.members()[0].type, &elements, at * count);
}

bool PutStruct(NestedReader* reader, const ColumnType& layout, Vector* vector, idx_t at) {
  auto& fields = duckdb::StructVector::GetEntries(*vector);
  NullBits nulls;
  if (!reader->ReadNullBitmap(fields.size(), &nulls)) return false;
  for (idx_t f = 0; f < fields.size(); ++f) {
    if (nulls.IsNull(f)) {
      FlatVector::SetNull(*fields[f], at, true);
    } else if (!PutValue(reader, layout.members()[f].type, fields[f].get(), at)) {
      return false;
    }
  }
  return true;
}

bool PutValue(NestedReader* reader, const ColumnType& type, Vector* vector, idx_t at) {
  if (type.is_nested()) {
    const ColumnType& layout = LayoutOf(type);
    if (layout.id == TypeId::kStruct) return PutStruct(reader, layout, vector, at);
    return layout.id == TypeId::kArray ? PutArray(reader, layout, vector, at) : PutList(reader, layout, vector, at);
  }
  if (type.is_variable()) {
    std::string_view bytes;
    if (!reader->ReadBytes(&bytes)) return false;
    if (IsText(type) ? !batch::IsValidUtf8(bytes) : CheckVariableBytes(type, bytes) != nullptr) return false;
    Store(vector, at, duckdb::StringVector::AddStringOrBlob(*vector, bytes.data(), bytes.size()));
    return true;
  }
  const char* bytes = nullptr;
  return reader->ReadFixed(static_cast<size_t>(type.fixed_width()), &bytes) && PutFixed(bytes, type, vector, at);
}

// Bytes of one value, as BLOBs have them.
Vector ToBlobs(Vector& values, idx_t rows, const ColumnType& type) {
  Vector flat(values.GetType(), rows);
  duckdb::VectorOperations::Copy(values, flat, rows, 0, 0);
  Vector blobs(duckdb::LogicalType::BLOB, rows);
  std::string bytes;
  for (idx_t i = 0; i < rows; ++i) {
    if (FlatVector::IsNull(flat, i)) {
      FlatVector::SetNull(blobs, i, true);
      continue;
    }
    bytes.clear();
    if (type.is_nested()) {
      AppendNestedValue(flat, i, type, &bytes);
    } else {
      bytes.resize(16);
      bytes.resize(StoreFixed(flat, i, type, bytes.data()));
    }
    Store(&blobs, i, duckdb::StringVector::AddStringOrBlob(blobs, bytes));
  }
  return blobs;
}

template <class Number>
Vector ToNumbers(Vector& values, idx_t rows, const ColumnType& type) {
  Vector flat(values.GetType(), rows);
  duckdb::VectorOperations::Copy(values, flat, rows, 0, 0);
  Vector numbers(StoredLogicalType(type), rows);
  for (idx_t i = 0; i < rows; ++i) {
    if (FlatVector::IsNull(flat, i)) {
      FlatVector::SetNull(numbers, i, true);
      continue;
    }
    Number number{};
    char bytes[16];
    StoreFixed(flat, i, type, bytes);
    std::memcpy(&number, bytes, sizeof(number));
    Store(&numbers, i, number);
  }
  return numbers;
}

}  // namespace

duckdb::LogicalType StoredLogicalType(const ColumnType& type) {
  switch (KindOf(type)) {
    case TypeKind::kHugeint:
    case TypeKind::kInterval:
    case TypeKind::kBit:
    case TypeKind::kBignum:
    case TypeKind::kNested:
      return duckdb::LogicalType::BLOB;
    case TypeKind::kText:
      return duckdb::LogicalType::VARCHAR;
    case TypeKind::kBinary:
      return duckdb::LogicalType::BLOB;
    case TypeKind::kTimeTz:
      return duckdb::LogicalType::UBIGINT;
    case TypeKind::kEnum:
      return duckdb::LogicalType::UINTEGER;
    default:
      return ToLogicalType(type);
  }
}

Vector ToStoredVector(Vector& values, idx_t rows, const ColumnType& type) {
  switch (KindOf(type)) {
    case TypeKind::kHugeint:
    case TypeKind::kInterval:
    case TypeKind::kNested:
      return ToBlobs(values, rows, type);
    case TypeKind::kTimeTz:
      return ToNumbers<uint64_t>(values, rows, type);
    case TypeKind::kEnum:
      return ToNumbers<uint32_t>(values, rows, type);
    default: {
      Vector same(StoredLogicalType(type), nullptr);
      same.Reinterpret(values);
      return same;
    }
  }
}

void AppendNestedValue(const Vector& vector, idx_t at, const ColumnType& type, std::string* out) {
  const ColumnType& layout = LayoutOf(type);
  if (layout.id == TypeId::kStruct) return AppendFields(vector, at, type, out);
  const ColumnType& element = layout.members()[0].type;
  if (layout.id == TypeId::kArray) {
    const idx_t size = layout.array_size();
    return AppendElements(duckdb::ArrayVector::GetEntry(vector), at * size, size, element, out);
  }
  const auto entry = Load<duckdb::list_entry_t>(vector, at);
  AppendElements(duckdb::ListVector::GetEntry(vector), entry.offset, entry.length, element, out);
}

bool PutNestedValue(std::string_view bytes, const ColumnType& type, Vector* vector, idx_t at) {
  NestedReader reader(bytes);
  return PutValue(&reader, type, vector, at) && reader.at_end();
}

}  // namespace yarrow::sql
