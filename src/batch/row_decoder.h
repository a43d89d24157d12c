// RowDecoder: walks each passing row once and writes its projected cells to a sink.
//
// All choices by type are made when a schema version is first met: the plan of that version is a short list of runs, a
// run being the columns that one function reads and writes in a tight loop (say, all 8-byte fields). A row costs one
// indirect call a run, and no allocation.
//
// A Sink is where the cells go: ArrowSink here, DuckDB vectors in the SQL layer. It is any class with
//
//   struct Column;                       what its writers write to
//   Column* columns();                   one an output column; read again after MakeRoom
//   int64_t row() const;                 number of the row being written; only CommitRow changes it
//   bool has_room() const;               whether row() may be written
//   arrow::Status MakeRoom();            called when it may not
//   bool SetNull(uint32_t column);       the cell of row() is NULL (its write came first, with zeros or empty text)
//   void CommitRow();                    row() is complete: go to the next
//   void DropRow();                      row() failed half-way: what was written and SetNull of it must not show; the
//   next
//                                        row is written over it
//   const arrow::Status& status() const  why a write or SetNull returned false
//   template <class Visit> static auto VisitWriter(const ColumnType& type, Visit&& visit);
//                                        returns visit(W()) for the writer W of the type
//
// A writer W is an empty class with `using Cell`, which must be the type's cell (cell_reader.h, CellOf below), and
//
//   static bool Write(Sink& sink, Column& column, int64_t row, Cell cell);   false: out of room, status() says why
//
// so a sink converts as it likes (bools to bits or bytes, decimals narrower by precision, UUIDs to integers) with no
// test per cell. Validity is not written for values: a sink takes cells for valid until SetNull, so that it can leave
// out its bitmap until then.
//
// One a thread; not thread-safe.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "batch/cell_reader.h"
#include "batch/decode_plan.h"
#include "row/row_schema.h"
#include "type/type_traits.h"

namespace yarrow::batch {

// Which cell a type's values arrive in, by width; a Writer of another cell for that type does not do.
inline bool TakesCell(const ColumnType& type, std::type_identity<CellBool>) {
  return type.id == TypeId::kBool;
}
inline bool TakesCell(const ColumnType& type, std::type_identity<CellDecimal>) {
  return type.id == TypeId::kDecimal128;
}
inline bool TakesCell(const ColumnType& type, std::type_identity<CellUuid>) {
  return type.fixed_width() == static_cast<int>(sizeof(CellUuid)) && type.id != TypeId::kDecimal128;
}
inline bool TakesCell(const ColumnType& type, std::type_identity<CellText>) {
  return type.is_variable();
}
template <std::unsigned_integral Cell>
bool TakesCell(const ColumnType& type, std::type_identity<Cell>) {
  return type.fixed_width() == static_cast<int>(sizeof(Cell)) && type.id != TypeId::kBool;
}

template <class Sink>
concept RowSink = requires(Sink& sink, const Sink& const_sink, uint32_t column) {
  typename Sink::Column;
  { sink.columns() } -> std::same_as<typename Sink::Column*>;
  { const_sink.row() } -> std::same_as<int64_t>;
  { const_sink.has_room() } -> std::same_as<bool>;
  { sink.MakeRoom() } -> std::same_as<arrow::Status>;
  { sink.SetNull(column) } -> std::same_as<bool>;
  sink.CommitRow();
  sink.DropRow();
  { const_sink.status() } -> std::convertible_to<const arrow::Status&>;
};

// CheckRowShape in a few instructions for the usual row: of the layout's version, with two-byte end offsets. Rows that
// are not so may still be good.
class UsualShape {
 public:
  UsualShape() = default;
  explicit UsualShape(const RowLayout& layout) : size_(layout.min_size(0)) {
    version_ = layout.schema_version();
    last_end_ = layout.variable_count() == 0 ? 0 : size_ - 2;
  }
  bool Is(std::string_view row) const {
    if (row.size() < size_) return false;
    const auto* bytes = reinterpret_cast<const uint8_t*>(row.data());
    const auto start = static_cast<uint16_t>(LoadLittle<uint16_t>(bytes) & ~(uint32_t{kRowDeleted} << 8));
    if ((start != kRowFormat) | (LoadLittle<uint32_t>(bytes + 2) != version_)) return false;
    const size_t text = last_end_ == 0 ? 0 : LoadLittle<uint16_t>(bytes + last_end_);
    return row.size() - size_ == text;
  }

 private:
  uint32_t size_ = 0;  // least size
  uint32_t version_ = 0;
  uint32_t last_end_ = 0;  // where the last end offset is; 0: there is none
};

template <RowSink Sink>
class RowDecoder {
 public:
  // `columns`: positions in row_schema->columns(), in output order; may repeat and may be none.
  RowDecoder(std::shared_ptr<const RowSchema> row_schema, std::vector<int> columns)
      : schema_(std::move(row_schema)),
        columns_(std::move(columns)),
        key_parts_(schema_->key_codec().parts().size() + 1) {
    frame_.key_parts = key_parts_.data();
    frame_.scratch = &scratch_;
  }
  RowDecoder(const RowDecoder&) = delete;
  RowDecoder& operator=(const RowDecoder&) = delete;

  // Writes one row to the sink. `key` is the whole key. Invalid, naming table, column and key, when row or key are
  // damaged or of an unknown schema version; then, and when the sink fails, the row was dropped.
  [[gnu::always_inline]] arrow::Status Decode(std::string_view key, std::string_view row, Sink& sink) {
    if (program_ == nullptr || !program_->usual.Is(row)) [[unlikely]] {
      ARROW_RETURN_NOT_OK(SelectProgram(key, row));
    }
    const Program& program = *program_;
    if (program.checks_key) ARROW_RETURN_NOT_OK(CheckKey(key));
    if (!sink.has_room()) [[unlikely]]
      ARROW_RETURN_NOT_OK(sink.MakeRoom());

    Enter(program, key, row);
    for (const Run& run : program.runs) {
      const ColumnOp* stop = run.function(run.begin, run.end, frame_, sink);
      if (stop != run.end) [[unlikely]]
        return Fail(key, row, stop->output, sink);
    }
    if (HasNull(program, frame_)) {
      for (const DecodePlan::NullBit& bit : program.plan->null_bits) {
        if ((frame_.row[bit.offset] & bit.mask) == 0) continue;
        if (!bit.nullable || !sink.SetNull(bit.output)) [[unlikely]]
          return Fail(key, row, bit.output, sink);
      }
    }
    for (const uint32_t output : program.null_outputs) {
      if (!sink.SetNull(output)) [[unlikely]]
        return Fail(key, row, output, sink);
    }
    sink.CommitRow();
    ++rows_decoded_;
    bytes_decoded_ = frame_.bytes;
    return arrow::Status::OK();
  }

  uint64_t rows_decoded() const { return rows_decoded_; }
  // Encoded bytes, in keys and values, of the cells written: the width of fixed ones, NULL or not; the bytes of text,
  // in a key with its escapes and terminator; none for defaults.
  uint64_t bytes_decoded() const { return bytes_decoded_; }

 private:
  using RunFunction = const ColumnOp* (*)(const ColumnOp* op, const ColumnOp* end, RowFrame& frame, Sink& sink);
  struct Run {
    RunFunction function;
    const ColumnOp* begin;
    const ColumnOp* end;
  };
  // A plan bound to this sink. What each row needs comes first.
  struct Program {
    UsualShape usual;
    bool checks_key;
    bool reads_text;  // from the row
    uint64_t fixed_bytes;
    std::span<const DecodePlan::NullByte> null_bytes;
    std::span<const uint32_t> null_outputs;
    std::vector<Run> runs;
    std::vector<ColumnOp> ops;  // those of a run side by side
    const RowLayout* layout;
    std::unique_ptr<DecodePlan> plan;
  };

  template <class Reader, class Writer>
  static const ColumnOp* RunColumns(const ColumnOp* op, const ColumnOp* end, RowFrame& frame, Sink& sink) {
    typename Sink::Column* const columns = sink.columns();
    const int64_t row = sink.row();
    for (; op != end; ++op) {
      typename Reader::Cell cell;
      if (!Reader::Read(*op, frame, &cell)) [[unlikely]]
        return op;
      if (!Writer::Write(sink, columns[op->output], row, cell)) [[unlikely]]
        return op;
    }
    return op;
  }

  // The function for a column of fixed width at `Place`, in the encoding of fields (and defaults).
  template <class Place, class Writer>
  static RunFunction FieldFunction(const ColumnType& type) {
    using Cell = typename Writer::Cell;
    if constexpr (std::is_same_v<Cell, CellBool>) return &RunColumns<BoolReader<Place>, Writer>;
    if constexpr (std::is_same_v<Cell, CellDecimal>) return &RunColumns<DecimalReader<Place>, Writer>;
    if constexpr (std::is_same_v<Cell, CellUuid>) return &RunColumns<UuidReader<Place>, Writer>;
    if constexpr (std::unsigned_integral<Cell> && !std::is_same_v<Cell, CellBool>) {
      if constexpr (std::is_same_v<Cell, Cell64>) {
        if (type.id == TypeId::kTime64) return &RunColumns<TimeReader<Place>, Writer>;
        if (type.id == TypeId::kTimeTz) return &RunColumns<TimeTzReader<Place>, Writer>;
      }
      if constexpr (std::is_same_v<Cell, Cell32>) {
        if (type.id == TypeId::kEnum) return &RunColumns<LabelReader<Place>, Writer>;
      }
      return &RunColumns<BitsReader<Place, Cell>, Writer>;
    }
  }

  // The function for a field whose type has been widened from numbers of C++ type From; see IsWidening.
  template <class From, class Writer>
  static RunFunction WideningFunction(const ColumnType& type) {
    using Cell = typename Writer::Cell;
    if constexpr (std::unsigned_integral<Cell> && !std::is_same_v<Cell, CellBool>) {
      if constexpr (sizeof(Cell) > sizeof(From)) {
        if constexpr (std::is_same_v<Cell, Cell64>) {
          if (type.id == TypeId::kDouble) return &RunColumns<WideningReader<From, double, Cell>, Writer>;
        }
        if constexpr (std::is_integral_v<From>) return &RunColumns<WideningReader<From, Cell, Cell>, Writer>;
      }
    }
    return nullptr;
  }

  template <class Writer>
  static RunFunction WidenedFieldFunction(const DecodePlan::Column& column) {
    return VisitType(column.stored.id, [&column](auto traits) -> RunFunction {
      using Traits = decltype(traits);
      using Stored = typename Traits::Stored;
      if constexpr ((Traits::kKind == TypeKind::kInteger || Traits::kKind == TypeKind::kReal) && sizeof(Stored) < 8) {
        return WideningFunction<Stored, Writer>(column.type);
      } else {  // decimals: more digits in the same bytes
        return FieldFunction<FieldPlace, Writer>(column.type);
      }
    });
  }

  // The same in the encoding of keys, text too.
  template <class Place, class Writer>
  static RunFunction KeyFunction(const ColumnType& type) {
    using Cell = typename Writer::Cell;
    if constexpr (std::is_same_v<Cell, CellBool>) return &RunColumns<BoolReader<Place>, Writer>;
    if constexpr (std::is_same_v<Cell, CellDecimal>) return &RunColumns<KeyDecimalReader<Place>, Writer>;
    if constexpr (std::is_same_v<Cell, CellUuid>) return &RunColumns<UuidReader<Place>, Writer>;
    if constexpr (std::is_same_v<Cell, CellText>) return &RunColumns<KeyTextReader<Place>, Writer>;
    if constexpr (std::unsigned_integral<Cell> && !std::is_same_v<Cell, CellBool>) {
      if constexpr (sizeof(Cell) >= 4) {
        if (IsReal(type)) return &RunColumns<KeyFloatReader<Place, Cell>, Writer>;
      }
      if constexpr (std::is_same_v<Cell, Cell64>) {
        if (type.id == TypeId::kTime64) return &RunColumns<KeyTimeReader<Place>, Writer>;
        if (type.id == TypeId::kTimeTz) return &RunColumns<KeyTimeTzReader<Place>, Writer>;
      }
      if constexpr (std::is_same_v<Cell, Cell32>) {
        if (type.id == TypeId::kEnum) return &RunColumns<KeyLabelReader<Place>, Writer>;
      }
      return &RunColumns<KeyBitsReader<Place, Cell>, Writer>;
    }
  }

  template <class Writer>
  static RunFunction FunctionOf(const DecodePlan::Column& column) {
    constexpr bool is_text = std::is_same_v<typename Writer::Cell, CellText>;
    switch (column.place) {
      case DecodePlan::Place::kKey:
        return KeyFunction<KeyPlace, Writer>(column.type);
      case DecodePlan::Place::kLocatedKey:
        return KeyFunction<LocatedKeyPlace, Writer>(column.type);
      case DecodePlan::Place::kField:
        if constexpr (is_text) {
          return &RunColumns<TextReader, Writer>;
        } else {
          return column.stored == column.type ? FieldFunction<FieldPlace, Writer>(column.type)
                                              : WidenedFieldFunction<Writer>(column);
        }
      case DecodePlan::Place::kConstant:
        if constexpr (is_text)
          return &RunColumns<ConstantTextReader, Writer>;
        else
          return FieldFunction<ConstantPlace, Writer>(column.type);
    }
    return nullptr;
  }

  static arrow::Result<RunFunction> SelectFunction(const DecodePlan::Column& column) {
    return Sink::VisitWriter(column.type, [&](auto writer) -> arrow::Result<RunFunction> {
      using Writer = decltype(writer);
      if (!TakesCell(column.type, std::type_identity<typename Writer::Cell>())) {
        return arrow::Status::UnknownError("the sink's writer does not take the cells of ", column.type.ToString());
      }
      return FunctionOf<Writer>(column);
    });
  }

  static arrow::Result<std::unique_ptr<Program>> Bind(std::unique_ptr<DecodePlan> plan) {
    auto program = std::make_unique<Program>();
    // Columns of one function become one run, at the place of the first; within it they keep the order in which they
    // lie.
    std::vector<std::pair<RunFunction, std::vector<ColumnOp>>> groups;
    for (const DecodePlan::Column& column : plan->columns) {
      ARROW_ASSIGN_OR_RAISE(const RunFunction function, SelectFunction(column));
      size_t g = 0;
      while (g < groups.size() && groups[g].first != function) ++g;
      if (g == groups.size()) groups.push_back({function, {}});
      groups[g].second.push_back(column.op);
    }
    program->ops.reserve(plan->columns.size());
    for (const auto& [function, ops] : groups) {
      const ColumnOp* begin = program->ops.data() + program->ops.size();
      program->ops.insert(program->ops.end(), ops.begin(), ops.end());
      program->runs.push_back({function, begin, begin + ops.size()});
    }
    program->layout = &plan->version->layout;
    program->usual = UsualShape(*program->layout);
    program->null_bytes = plan->null_bytes;
    program->null_outputs = plan->null_outputs;
    program->fixed_bytes = plan->fixed_bytes;
    program->checks_key = plan->key_size > 0 || plan->locates_key;
    program->reads_text = plan->reads_text;
    program->plan = std::move(plan);
    return program;
  }

  // Makes program_ that of the row's schema version, or says what is wrong with the row. Rows of 64 KiB and more come
  // by here too.
  [[gnu::noinline]] arrow::Status SelectProgram(std::string_view key, std::string_view row) {
    const int first = columns_.empty() ? -1 : columns_[0];
    const arrow::Result<uint32_t> number = RowSchemaVersion(row);
    if (!number.ok()) return DamagedRow(*schema_, key, first, number.status().message());
    const RowSchema::Version* version = schema_->FindVersion(*number);
    if (version == nullptr) return UnknownVersion(*schema_, key, *number);
    if (!CheckRowShape(version->layout, row)) return DamagedRow(*schema_, *version, key, row, first);
    std::unique_ptr<Program>& program = programs_[*number];
    if (program == nullptr) {
      ARROW_ASSIGN_OR_RAISE(auto plan, DecodePlan::Make(*schema_, *version, columns_));
      ARROW_ASSIGN_OR_RAISE(program, Bind(std::move(plan)));
    }
    program_ = program.get();
    return arrow::Status::OK();
  }

  // Makes every place of the program in the key readable.
  arrow::Status CheckKey(std::string_view key) {
    const DecodePlan& plan = *program_->plan;
    const bool fits = plan.key_size_is_exact ? key.size() == plan.key_size : key.size() >= plan.key_size;
    if (!fits) [[unlikely]]
      return DamagedKey(key, "the key has the wrong size");
    if (!plan.locates_key) return arrow::Status::OK();
    const arrow::Status located =
        schema_->key_codec().Locate(key.substr(schema_->key_prefix_size()), key_parts_.data());
    return located.ok() ? located : DamagedKey(key, located.message());
  }

  // Key columns come first in a plan.
  [[gnu::noinline, gnu::cold]] arrow::Status DamagedKey(std::string_view key, std::string_view problem) const {
    return DamagedRow(*schema_, key, columns_[program_->plan->columns.front().op.output], problem);
  }

  // Points frame_ at the row: at as much of it as the program reads.
  void Enter(const Program& program, std::string_view key, std::string_view row) {
    frame_.row = reinterpret_cast<const uint8_t*>(row.data());
    frame_.bytes = bytes_decoded_ + program.fixed_bytes;
    if (program.checks_key) {
      frame_.key = reinterpret_cast<const uint8_t*>(key.data());
      frame_.key_end = frame_.key + key.size();
    }
    if (program.reads_text) {
      const auto flags = static_cast<uint8_t>(row[1]);
      const uint32_t head = program.layout->min_size(flags);
      frame_.wide = (flags & kRowWideOffsets) != 0;
      frame_.text_ends = frame_.row + program.layout->offsets_start();
      frame_.text = frame_.row + head;
      frame_.text_size = static_cast<uint32_t>(row.size() - head);
    }
  }

  static bool HasNull(const Program& program, const RowFrame& frame) {
    uint8_t any = 0;
    for (const DecodePlan::NullByte& byte : program.null_bytes) any |= frame.row[byte.offset] & byte.mask;
    return any != 0;
  }

  [[gnu::noinline, gnu::cold]] arrow::Status Fail(std::string_view key, std::string_view row, uint32_t output,
                                                  Sink& sink) {
    arrow::Status status = sink.status();
    sink.DropRow();
    return status.ok() ? DamagedRow(*schema_, *program_->plan->version, key, row, columns_[output]) : status;
  }

  std::shared_ptr<const RowSchema> schema_;
  std::vector<int> columns_;
  std::unordered_map<uint32_t, std::unique_ptr<Program>> programs_;  // by schema version, made when one is met
  const Program* program_ = nullptr;                                 // of the last row
  std::vector<uint32_t> key_parts_;
  std::string scratch_;
  RowFrame frame_;  // of the row being decoded
  uint64_t rows_decoded_ = 0;
  uint64_t bytes_decoded_ = 0;
};

}  // namespace yarrow::batch
