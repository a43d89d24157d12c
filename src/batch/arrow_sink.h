// ArrowSink: the sink of RowDecoder that makes Arrow arrays.
//
// A batch under construction is one slab of memory that holds the value, offset and bit buffers of all columns and a
// first guess of the text; text that outgrows it moves to a buffer of its own, and a validity bitmap is allocated when
// a column meets its first NULL. So a batch of ten rows costs a handful of allocations. Finish hands the memory over
// without copying; the arrays of a batch share the slab, hence keep each other's bytes alive.
//
// One a thread; not thread-safe.
#pragma once

#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "batch/cell_reader.h"
#include "yarrow/type.h"

namespace yarrow::batch {

class ArrowSink {
 public:
  struct Column {
    uint8_t* data = nullptr;      // values or bits; of text: its bytes
    int32_t* ends = nullptr;      // of text: ends[i] is where text i starts and text i-1 ends
    int64_t text_capacity = 0;    // bytes at data, of text
    uint8_t* validity = nullptr;  // null until the first NULL; then ones for all rows of the capacity but the NULLs
  };

  // Arrow's buffers hold text ends as int32.
  static constexpr int64_t kMaxTextBytes = std::numeric_limits<int32_t>::max();

  // `pool` must outlive the sink and its batches. `max_text_bytes`, of one column in a batch, is lower in tests.
  ArrowSink(const std::vector<ColumnType>& types, arrow::MemoryPool* pool, int64_t max_text_bytes = kMaxTextBytes);
  ArrowSink(const ArrowSink&) = delete;
  ArrowSink& operator=(const ArrowSink&) = delete;
  ~ArrowSink();

  // Makes room for `rows` rows in all.
  arrow::Status Reserve(int64_t rows);
  // One ArrayData a column, of all rows since the last Finish. At most half of its memory is slack (or 64 KiB).
  arrow::Result<std::vector<std::shared_ptr<arrow::ArrayData>>> Finish();

  // What RowDecoder asks of a sink.
  Column* columns() { return columns_.data(); }
  int64_t row() const { return rows_; }
  bool has_room() const { return rows_ < capacity_; }
  arrow::Status MakeRoom();
  bool SetNull(uint32_t column);
  void CommitRow() { ++rows_; }
  void DropRow();
  const arrow::Status& status() const { return status_; }
  template <class Visit>
  static auto VisitWriter(const ColumnType& type, Visit&& visit);

 private:
  struct Slab;
  // The part of a column that the row loop does not touch.
  struct Storage {
    std::shared_ptr<arrow::DataType> type;
    int width = 0;  // bytes of a value; 0: text; -1: bits
    std::unique_ptr<arrow::ResizableBuffer> text;
    std::unique_ptr<arrow::ResizableBuffer> validity;
    double text_per_row = 16;  // expected, from the last batch
  };

  template <class Cell>
  struct BitsWriter;
  struct BoolWriter;
  struct TextWriter;

  int64_t RegionSize(const Storage& storage, int64_t rows, int64_t text_bytes) const;
  int64_t TextBytes(size_t column) const;
  // Moves the rows so far to a new slab with room for `rows`; tight: and for no more text than there is.
  arrow::Status Relocate(int64_t rows, bool tight);
  bool GrowText(uint32_t column, int64_t bytes);
  arrow::Status ResizeValidity(Storage* storage, int64_t rows, Column* column);
  arrow::Status FinishText(size_t column, std::shared_ptr<arrow::Buffer>* out);

  std::vector<Column> columns_;
  int64_t rows_ = 0;
  int64_t capacity_ = 0;
  std::vector<Storage> storages_;
  std::shared_ptr<Slab> slab_;
  arrow::MemoryPool* pool_;
  int64_t max_text_bytes_;
  arrow::Status status_;
};

// memcpy for text: inline for up to 16 bytes, by two copies that may overlap.
inline void CopyText(uint8_t* out, std::string_view text) {
  const char* from = text.data();
  const size_t size = text.size();
  if (size > 16) {
    std::memcpy(out, from, size);
  } else if (size >= 8) {
    std::memcpy(out, from, 8);
    std::memcpy(out + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(out, from, 4);
    std::memcpy(out + size - 4, from + size - 4, 4);
  } else if (size > 0) {
    out[0] = static_cast<uint8_t>(from[0]);
    out[size / 2] = static_cast<uint8_t>(from[size / 2]);
    out[size - 1] = static_cast<uint8_t>(from[size - 1]);
  }
}

template <class Cell_>
struct ArrowSink::BitsWriter {
  using Cell = Cell_;
  static bool Write(ArrowSink&, Column& column, int64_t row, Cell cell) {
    std::memcpy(column.data + static_cast<size_t>(row) * sizeof(Cell), &cell, sizeof(Cell));
    return true;
  }
};

struct ArrowSink::BoolWriter {
  using Cell = CellBool;
  // Clears the bits above too: they may be those of a dropped row, or never have been written.
  static bool Write(ArrowSink&, Column& column, int64_t row, Cell cell) {
    uint8_t& byte = column.data[row >> 3];
    const auto bit = static_cast<unsigned>(row & 7);
    byte = static_cast<uint8_t>((byte & ((1U << bit) - 1)) | (static_cast<unsigned>(cell) << bit));
    return true;
  }
};

struct ArrowSink::TextWriter {
  using Cell = CellText;
  static bool Write(ArrowSink& sink, Column& column, int64_t row, Cell cell) {
    const int64_t begin = column.ends[row];
    const int64_t end = begin + static_cast<int64_t>(cell.size());
    if (end > column.text_capacity) [[unlikely]] {
      if (!sink.GrowText(static_cast<uint32_t>(&column - sink.columns_.data()), end)) return false;
    }
    CopyText(column.data + begin, cell);
    column.ends[row + 1] = static_cast<int32_t>(end);
    return true;
  }
};

template <class Visit>
auto ArrowSink::VisitWriter(const ColumnType& type, Visit&& visit) {
  if (type.is_variable()) return visit(TextWriter());
  if (type.id == TypeId::kBool) return visit(BoolWriter());
  if (type.id == TypeId::kDecimal128) return visit(BitsWriter<CellDecimal>());
  switch (type.fixed_width()) {
    case 16:
      return visit(BitsWriter<CellUuid>());
    case 1:
      return visit(BitsWriter<Cell8>());
    case 2:
      return visit(BitsWriter<Cell16>());
    case 4:
      return visit(BitsWriter<Cell32>());
    default:
      return visit(BitsWriter<Cell64>());
  }
}

}  // namespace yarrow::batch
