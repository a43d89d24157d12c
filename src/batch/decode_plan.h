// DecodePlan: how the projected columns are read from rows of one schema version, before a sink is known.
//
// Internal to the batch layer. Immutable after Make.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "batch/cell_reader.h"
#include "row/row_schema.h"

namespace yarrow::batch {

struct DecodePlan {
  enum class Place { kField, kKey, kLocatedKey, kConstant };
  struct Column {
    Place place;
    ColumnType type;
    ColumnType stored;  // of a field in this version; another one than `type` widens to it
    ColumnOp op;
  };
  struct NullByte {  // a byte of the null bitmap that holds projected fields
    uint32_t offset;
    uint8_t mask;
  };
  struct NullBit {
    uint32_t offset;
    uint8_t mask;
    bool nullable;
    uint32_t output;
  };

  static arrow::Result<std::unique_ptr<DecodePlan>> Make(const RowSchema& schema, const RowSchema::Version& version,
                                                         const std::vector<int>& columns);

  const RowSchema::Version* version = nullptr;
  std::vector<Column> columns;         // in the order in which they lie: key, row, defaults
  std::vector<NullByte> null_bytes;    // tells whether any projected field of a row is NULL
  std::vector<NullBit> null_bits;      // then tells which
  std::vector<uint32_t> null_outputs;  // output columns whose default is NULL
  uint64_t fixed_bytes = 0;            // encoded bytes of the cells of fixed width, of keys and rows
  size_t key_size = 0;                 // least size of a key, or the exact one
  bool key_size_is_exact = false;
  bool reads_text = false;                              // a projected field is variable
  bool locates_key = false;                             // a projected key part lies past one of variable width
  std::vector<std::unique_ptr<std::string>> constants;  // what ColumnOp::constant points to
};

// Messages of a decoder, all naming the table and the key. `output_column`: position in the schema's columns, or -1.
arrow::Status UnknownVersion(const RowSchema& schema, std::string_view key, uint32_t version);
arrow::Status DamagedRow(const RowSchema& schema, std::string_view key, int column, std::string_view problem);
// The same, finding out what is wrong with the row.
arrow::Status DamagedRow(const RowSchema& schema, const RowSchema::Version& version, std::string_view key,
                         std::string_view row, int column);

}  // namespace yarrow::batch
