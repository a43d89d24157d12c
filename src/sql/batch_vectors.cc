#include "sql/batch_vectors.h"

#include <arrow/array/data.h>
#include <arrow/record_batch.h>
#include <arrow/util/bit_util.h>

#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "sql/vector_sink.h"

namespace yarrow::sql {
namespace {

// Cell i of an array of the type whose cells are so; `values` are its bytes.
template <class Cell>
Cell CellAt(const arrow::ArrayData& array, const uint8_t* values, int64_t i) {
  if constexpr (std::is_same_v<Cell, batch::CellBool>) {
    return static_cast<Cell>(arrow::bit_util::GetBit(values, array.offset + i));
  } else {
    Cell cell;
    std::memcpy(&cell, values + static_cast<size_t>(array.offset + i) * sizeof(Cell), sizeof(Cell));
    return cell;
  }
}

// Keeps the texts of an array alive, which a vector points to.
class TextsOfArray : public duckdb::VectorBuffer {
 public:
  explicit TextsOfArray(std::shared_ptr<arrow::Buffer> texts)
      : VectorBuffer(duckdb::VectorBufferType::OPAQUE_BUFFER), texts_(std::move(texts)) {}

 private:
  const std::shared_ptr<arrow::Buffer> texts_;
};

void PointToTexts(const arrow::ArrayData& array, int64_t first, int64_t rows, duckdb::Vector* vector) {
  const int32_t* const ends = array.GetValues<int32_t>(1) + first;
  const auto* const texts = reinterpret_cast<const char*>(array.buffers[2] ? array.buffers[2]->data() : nullptr);
  auto* const out = duckdb::FlatVector::GetData<duckdb::string_t>(*vector);
  for (int64_t row = 0; row < rows; ++row) {
    out[row] = duckdb::string_t(texts + ends[row], static_cast<uint32_t>(ends[row + 1] - ends[row]));
  }
  if (texts != nullptr) duckdb::StringVector::AddBuffer(*vector, duckdb::make_buffer<TextsOfArray>(array.buffers[2]));
}

void CopyNulls(const arrow::ArrayData& array, int64_t first, int64_t rows, duckdb::Vector* vector) {
  if (array.GetNullCount() == 0) return;
  const uint8_t* const validity = array.buffers[0]->data();
  for (int64_t row = 0; row < rows; ++row) {
    if (arrow::bit_util::GetBit(validity, array.offset + first + row)) continue;
    duckdb::FlatVector::SetNull(*vector, static_cast<duckdb::idx_t>(row), true);
  }
}

bool FillNested(const arrow::ArrayData& array, int64_t first, int64_t rows, const ColumnType& type,
                duckdb::Vector* vector) {
  const int32_t* const ends = array.GetValues<int32_t>(1) + first;
  const auto* const bytes = reinterpret_cast<const char*>(array.buffers[2] ? array.buffers[2]->data() : nullptr);
  for (int64_t row = 0; row < rows; ++row) {
    if (duckdb::FlatVector::IsNull(*vector, static_cast<duckdb::idx_t>(row))) continue;
    const std::string_view value(bytes + ends[row], static_cast<size_t>(ends[row + 1] - ends[row]));
    if (!PutNestedValue(value, type, vector, static_cast<duckdb::idx_t>(row))) return false;
  }
  return true;
}

template <class Writer>
bool FillColumn(const arrow::ArrayData& array, int64_t first, int64_t rows, VectorSink* sink,
                VectorSink::Column* column) {
  const uint8_t* const values = array.buffers[1] ? array.buffers[1]->data() : nullptr;
  for (int64_t row = 0; row < rows; ++row) {
    if (column->validity->RowIsValid(static_cast<duckdb::idx_t>(row)) &&
        !Writer::Write(*sink, *column, row, CellAt<typename Writer::Cell>(array, values, first + row))) {
      return false;
    }
  }
  return true;
}

}  // namespace

arrow::Status FillVectors(const arrow::RecordBatch& batch, const std::vector<ColumnType>& types, int64_t first,
                          int64_t rows, const std::vector<duckdb::Vector*>& vectors) {
  VectorSink sink(types);
  sink.Attach(vectors);
  for (size_t i = 0; i < vectors.size(); ++i) {
    const arrow::ArrayData& array = *batch.column_data(static_cast<int>(i));
    CopyNulls(array, first, rows, vectors[i]);
    if (types[i].is_nested()) {
      if (!FillNested(array, first, rows, types[i], vectors[i])) {
        return arrow::Status::Invalid("the bytes of a value of type ", types[i].ToString(), " are damaged");
      }
      continue;
    }
    if (types[i].is_variable()) {
      PointToTexts(array, first, rows, vectors[i]);
      continue;
    }
    const bool is_filled = VectorSink::VisitWriter(types[i], [&](auto writer) {
      return FillColumn<decltype(writer)>(array, first, rows, &sink, sink.columns() + i);
    });
    if (!is_filled) return sink.status();
  }
  return arrow::Status::OK();
}

}  // namespace yarrow::sql
