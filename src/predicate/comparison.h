// Comparison: one leaf of a predicate, made ready for one place of its column (a field or a key part) in rows of one
// schema version. Copies share the sets of IN lists. Immutable once placed, thread-safe.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "predicate/value_set.h"
#include "row/row_schema.h"
#include "yarrow/predicate.h"

namespace yarrow {

// The row that comparisons look at.
struct RowView {
  std::string_view key;         // whole
  std::string_view row;         // CheckRowShape was true
  const RowLayout* layout;      // of its schema version
  const uint32_t* key_offsets;  // of its parts, counted from the end of the key's prefix; only when needed
};

// kDamaged: the bytes stand for no value of the column's type.
enum class Outcome : uint8_t { kFails = 0, kHolds = 1, kDamaged = 2 };

class StructFieldTest;

struct Comparison {
  using Function = Outcome (*)(const Comparison&, const RowView&);
  Function run = nullptr;
  uint32_t next[3] = {};  // by outcome; the program's

  uint32_t field = 0;    // in the null bitmap
  uint32_t offset = 0;   // of a fixed field in the row, or of the first key column in the key
  uint32_t part = 0;     // of the key
  int32_t column = 0;    // for messages
  bool negated = false;  // NOT IN, NOT LIKE
  double real = 0;       // operand: floats
  Int128 number = 0;     // operand: all other fixed-width types
  Int128 last = 0;       // BETWEEN: `number` is the least that passes and this the greatest
  Int128 least = 0;      // valid numbers of the types whose bytes can hold more than the type
  Int128 greatest = 0;
  std::string bytes;  // operand: text and binary; in a key part, as encoded there
  std::shared_ptr<const WordSet<uint64_t>> words;
  std::shared_ptr<const WordSet<UInt128>> wide_words;
  std::shared_ptr<const BytesSet> strings;
  std::shared_ptr<const StructFieldTest> of_field;  // of a STRUCT
};

// REQUIRES: `leaf` is in normal form and checked against the schema; `kind` is kField, or kKeyPart if its column is in
// the key. A comparison of a field still needs PlaceField.
arrow::Result<Comparison> MakeComparison(const Predicate& leaf, const RowSchema& row_schema,
                                         RowSchema::Place::Kind kind);

// The same for fields of rows alone, by their type.
arrow::Result<Comparison> MakeFieldComparison(const Predicate& leaf, const ColumnType& type);

// Whether two bounds of a column make one comparison.
bool CanBeBetween(const ColumnType& type);
// REQUIRES: the same of `low` (> or >=) and `high` (< or <=), which are on one column and do not exclude each other.
arrow::Result<Comparison> MakeBetween(const Predicate& low, const Predicate& high, const RowSchema& row_schema,
                                      RowSchema::Place::Kind kind);

// Makes the comparison of a field one with fields that have a narrower type, `stored`, which widens to the column's.
// `leaf` is what the comparison was made of; with `is_between` it is the lower bound.
void CompareWidened(const ColumnType& stored, const ColumnType& type, const Predicate& leaf, bool is_between,
                    Comparison* comparison);

// Tells the comparison of a field where the field lies in one schema version.
void PlaceField(const RowLayout& layout, size_t field, Comparison* comparison);

}  // namespace yarrow
