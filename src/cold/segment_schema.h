// The columns of a segment's file: how a table's columns lie in Parquet. Pure functions, thread-safe.
//
// Every column of the table's current version is there, key columns and a hidden row id too, in the table's order. A
// field's Parquet field id is the column's id, by which readers find it whatever its name has become. Types lie as
// Arrow maps them; what that leaves open:
//   timestamp in seconds   as milliseconds (Parquet has no seconds)
//   decimal                as INT32 up to 9 digits, INT64 up to 18, else as big-endian bytes
//   uuid                   as 16 bytes of the logical type UUID
//   json, geometry         as text of the logical type JSON, as the bytes of its WKB
//   what Parquet lacks     as text, and nested types as lists, maps and structs: batch/array_form.h
// The parts of nested types have field ids, too: 65,536 times the id of their column, plus their number in it, counted
// from 1 in the order of the schema.
// The Arrow schema is stored as well ("ARROW:schema"), which keeps the names of time zones.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "row/row_schema.h"

namespace yarrow::cold {

// Columns of values in the file, Parquet's, that a column of the type takes.
int LeafCount(const ColumnType& type);

// The field id of part `number` of a column; nothing when there are too many to have one.
std::optional<int32_t> PartFieldId(uint32_t column_id, int number);

// The schema of a new file. REQUIRES: nothing; the columns are those of row_schema.columns().
std::shared_ptr<arrow::Schema> SegmentArrowSchema(const RowSchema& row_schema);

// The field id in a field's metadata; nothing when it has none.
std::optional<uint32_t> FieldId(const arrow::Field& field);

// An array of a column's batches as it lies in a file; the same array where they are one. Invalid for a timestamp that
// milliseconds cannot hold.
arrow::Result<std::shared_ptr<arrow::Array>> ToStored(const std::shared_ptr<arrow::Array>& array,
                                                      const ColumnType& type);

// An array read from a file as one of the batches of a column of type `type`, of now: widened where the file is older
// than the type, the same array where nothing changed. Invalid when a value does not fit, which no widening can cause.
arrow::Result<std::shared_ptr<arrow::Array>> FromStored(const std::shared_ptr<arrow::Array>& array,
                                                        const ColumnType& type);

// `rows` times one value in the exact form of the type, or NULL, as batches have them.
arrow::Result<std::shared_ptr<arrow::Array>> RepeatValue(const Value& value, const ColumnType& type, int64_t rows);

}  // namespace yarrow::cold
