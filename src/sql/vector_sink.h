// VectorSink: the sink of RowDecoder that fills DuckDB vectors, without a detour over Arrow.
//
// One a thread; not thread-safe.
#pragma once

#include <arrow/status.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "batch/cell_reader.h"
#include "sql/duckdb_api.h"
#include "sql/sql_type.h"
#include "sql/stored_vectors.h"
#include "type/type_traits.h"

namespace yarrow::sql {

class VectorSink {
 public:
  // `types`: of the columns.
  explicit VectorSink(std::vector<ColumnType> types) : types_(std::move(types)) {}

  struct Column {
    uint8_t* data = nullptr;
    duckdb::Vector* vector = nullptr;
    duckdb::ValidityMask* validity = nullptr;
    char* texts = nullptr;  // room for the next long text, in a buffer that the vector owns
    size_t room = 0;
    size_t buffer_bytes = 0;  // of that buffer
  };

  // Starts over, with the flat vectors that the next rows go to.
  void Attach(const std::vector<duckdb::Vector*>& vectors) {
    columns_.resize(vectors.size());
    for (size_t i = 0; i < vectors.size(); ++i) {
      columns_[i] = {.data = duckdb::FlatVector::GetData(*vectors[i]),
                     .vector = vectors[i],
                     .validity = &duckdb::FlatVector::Validity(*vectors[i])};
    }
    row_ = 0;
  }

  // What RowDecoder asks of a sink.
  Column* columns() { return columns_.data(); }
  int64_t row() const { return row_; }
  bool has_room() const { return row_ < static_cast<int64_t>(STANDARD_VECTOR_SIZE); }
  arrow::Status MakeRoom() { return arrow::Status::CapacityError("a vector holds ", STANDARD_VECTOR_SIZE, " rows"); }
  bool SetNull(uint32_t column) {
    const auto row = static_cast<duckdb::idx_t>(row_);
    columns_[column].validity->SetInvalid(row);
    // The parts of a NULL are NULL, too.
    if (types_[column].is_nested()) duckdb::FlatVector::SetNull(*columns_[column].vector, row, true);
    return true;
  }
  void CommitRow() { ++row_; }
  void DropRow() {
    for (Column& column : columns_) column.validity->SetValid(static_cast<duckdb::idx_t>(row_));
  }
  const arrow::Status& status() const { return status_; }
  template <class Visit>
  static auto VisitWriter(const ColumnType& type, Visit&& visit);

 private:
  template <class CellT>
  struct BitsWriter;
  template <class Stored>
  struct DecimalWriter;
  template <int64_t factor>
  struct ScaledWriter;
  struct BoolWriter;
  struct UuidWriter;
  struct UHugeintWriter;
  struct IntervalWriter;
  struct TimeTzWriter;
  template <class Stored>
  struct LabelWriter;
  struct TextWriter;
  struct NestedWriter;

  template <class T>
  static void Store(Column& column, int64_t row, const T& value) {
    std::memcpy(column.data + static_cast<size_t>(row) * sizeof(T), &value, sizeof(T));
  }

  // Bump allocation: DuckDB's own string heap took a seventh of a scan of all columns.
  static char* Allocate(Column& column, size_t bytes) {
    if (bytes > column.room) MakeTextBuffer(column, bytes);
    char* const out = column.texts;
    column.texts += bytes;
    column.room -= bytes;
    return out;
  }
  static void MakeTextBuffer(Column& column, size_t bytes) {
    constexpr size_t kFirst = 2 << 10, kLargest = 64 << 10;
    column.buffer_bytes = std::max(bytes, std::clamp(column.buffer_bytes * 4, kFirst, kLargest));
    auto buffer = duckdb::make_buffer<duckdb::VectorBuffer>(static_cast<duckdb::idx_t>(column.buffer_bytes));
    column.texts = reinterpret_cast<char*>(buffer->GetData());
    column.room = column.buffer_bytes;
    duckdb::StringVector::AddBuffer(*column.vector, std::move(buffer));
  }

  const std::vector<ColumnType> types_;
  std::vector<Column> columns_;
  int64_t row_ = 0;
  arrow::Status status_;
};

template <class CellT>
struct VectorSink::BitsWriter {
  using Cell = CellT;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    Store(column, row, cell);
    return true;
  }
};

struct VectorSink::BoolWriter {
  using Cell = batch::CellBool;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    Store(column, row, static_cast<uint8_t>(cell));
    return true;
  }
};

// DuckDB keeps a decimal in the smallest integer that holds its digits.
template <class Stored>
struct VectorSink::DecimalWriter {
  using Cell = batch::CellDecimal;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    if constexpr (sizeof(Stored) == sizeof(Cell)) {
      const duckdb::hugeint_t wide(static_cast<int64_t>(cell >> 64), static_cast<uint64_t>(cell));
      Store(column, row, wide);
    } else {
      Store(column, row, static_cast<Stored>(cell));
    }
    return true;
  }
};

// Timestamps of a unit that DuckDB has not. Beyond its range they are an error, not another moment, but for infinity.
template <int64_t factor>
struct VectorSink::ScaledWriter {
  using Cell = batch::Cell64;
  static bool Write(VectorSink& sink, Column& column, int64_t row, Cell cell) {
    const auto count = static_cast<int64_t>(cell);
    int64_t scaled = 0;
    if (__builtin_mul_overflow(count, factor, &scaled)) {
      if (!duckdb::Timestamp::IsFinite(duckdb::timestamp_t(count))) {
        Store(column, row, count);
        return true;
      }
      sink.status_ = arrow::Status::Invalid("the timestamp ", count, " (", factor == 1000 ? "milliseconds" : "seconds",
                                            " since 1970) is beyond the range of TIMESTAMP WITH TIME ZONE in SQL");
      return false;
    }
    Store(column, row, scaled);
    return true;
  }
};

struct VectorSink::UuidWriter {
  using Cell = batch::CellUuid;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    uint64_t high = 0, low = 0;
    std::memcpy(&high, cell.bytes.data(), sizeof(high));
    std::memcpy(&low, cell.bytes.data() + 8, sizeof(low));
    // The order of DuckDB's UUIDs is that of signed integers.
    const uint64_t upper = __builtin_bswap64(high) ^ (uint64_t{1} << 63);
    Store(column, row, duckdb::hugeint_t(static_cast<int64_t>(upper), __builtin_bswap64(low)));
    return true;
  }
};

struct VectorSink::UHugeintWriter {
  using Cell = batch::CellUuid;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    uint64_t high = 0, low = 0;
    std::memcpy(&high, cell.bytes.data(), sizeof(high));
    std::memcpy(&low, cell.bytes.data() + 8, sizeof(low));
    Store(column, row, duckdb::uhugeint_t(__builtin_bswap64(high), __builtin_bswap64(low)));
    return true;
  }
};

struct VectorSink::IntervalWriter {
  using Cell = batch::CellUuid;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    static_assert(sizeof(duckdb::interval_t) == sizeof(cell));
    Store(column, row, cell);
    return true;
  }
};

struct VectorSink::TimeTzWriter {
  using Cell = batch::Cell64;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    Store(column, row, TimeTzFromSorted(cell));
    return true;
  }
};

// DuckDB numbers labels with the smallest integer that holds their numbers.
template <class Stored>
struct VectorSink::LabelWriter {
  using Cell = batch::Cell32;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    Store(column, row, static_cast<Stored>(cell));
    return true;
  }
};

struct VectorSink::NestedWriter {
  using Cell = batch::CellText;
  static bool Write(VectorSink& sink, Column& column, int64_t row, Cell cell) {
    const ColumnType& type = sink.types_[static_cast<size_t>(&column - sink.columns_.data())];
    if (cell.empty()) {  // a NULL, as which SetNull marks the row
      if (LayoutOf(type).id == TypeId::kList) Store(column, row, duckdb::list_entry_t(0, 0));
      return true;
    }
    return PutNestedValue(cell, type, column.vector, static_cast<duckdb::idx_t>(row));
  }
};

struct VectorSink::TextWriter {
  using Cell = batch::CellText;
  static bool Write(VectorSink&, Column& column, int64_t row, Cell cell) {
    const auto size = static_cast<uint32_t>(cell.size());
    if (size <= duckdb::string_t::INLINE_LENGTH) {
      Store(column, row, duckdb::string_t(cell.data(), size));
      return true;
    }
    char* const copy = Allocate(column, size);
    std::memcpy(copy, cell.data(), size);
    Store(column, row, duckdb::string_t(copy, size));
    return true;
  }
};

template <class Visit>
auto VectorSink::VisitWriter(const ColumnType& type, Visit&& visit) {
  if (type.is_nested()) return visit(NestedWriter());
  if (type.is_variable()) return visit(TextWriter());
  if (type.id == TypeId::kBool) return visit(BoolWriter());
  // A HUGEINT lies as the integer that is a UUID.
  if (type.id == TypeId::kUuid || type.id == TypeId::kHugeint) return visit(UuidWriter());
  if (type.id == TypeId::kUHugeint) return visit(UHugeintWriter());
  if (type.id == TypeId::kInterval) return visit(IntervalWriter());
  if (type.id == TypeId::kTimeTz) return visit(TimeTzWriter());
  if (type.id == TypeId::kEnum) {
    const duckdb::PhysicalType numbers = ToLogicalType(type).InternalType();
    if (numbers == duckdb::PhysicalType::UINT8) return visit(LabelWriter<uint8_t>());
    if (numbers == duckdb::PhysicalType::UINT16) return visit(LabelWriter<uint16_t>());
    return visit(LabelWriter<uint32_t>());
  }
  if (type.id == TypeId::kDecimal128) {
    if (type.precision <= duckdb::Decimal::MAX_WIDTH_INT16) return visit(DecimalWriter<int16_t>());
    if (type.precision <= duckdb::Decimal::MAX_WIDTH_INT32) return visit(DecimalWriter<int32_t>());
    if (type.precision <= duckdb::Decimal::MAX_WIDTH_INT64) return visit(DecimalWriter<int64_t>());
    return visit(DecimalWriter<duckdb::hugeint_t>());
  }
  if (type.id == TypeId::kTimestamp && !type.timezone.empty()) {
    if (type.unit == TimeUnit::kSecond) return visit(ScaledWriter<1'000'000>());
    if (type.unit == TimeUnit::kMilli) return visit(ScaledWriter<1000>());
  }
  switch (type.fixed_width()) {
    case 1:
      return visit(BitsWriter<batch::Cell8>());
    case 2:
      return visit(BitsWriter<batch::Cell16>());
    case 4:
      return visit(BitsWriter<batch::Cell32>());
    default:
      return visit(BitsWriter<batch::Cell64>());
  }
}

}  // namespace yarrow::sql
