// The test of one field of a STRUCT, at any depth, on the bytes of the struct (type/nested_bytes.h).
#pragma once

#include <arrow/result.h>

#include <memory>
#include <string_view>
#include <vector>

#include "predicate/comparison.h"
#include "row/row_layout.h"
#include "yarrow/predicate.h"
#include "yarrow/type.h"

namespace yarrow {

// Immutable, thread-safe.
class StructFieldTest {
 public:
  // REQUIRES: `leaf` is a Kind::kField in normal form over a column of the STRUCT `type`, and was checked.
  static arrow::Result<std::shared_ptr<const StructFieldTest>> Make(const Predicate& leaf, const ColumnType& type);

  // A field of a NULL is NULL.
  Outcome RunOnNull() const;
  Outcome Run(std::string_view bytes) const;

 private:
  // The way from a struct to one of its fields.
  struct Step {
    std::vector<ColumnType> types;  // of the fields up to that one, which is the last
    size_t fields;                  // of the struct
  };
  StructFieldTest() = default;
  // The test reads fields of rows, so the value is given to it as the only field of one.
  Outcome RunOnFixed(const char* bytes) const;
  Outcome RunOnBytes(std::string_view bytes) const;

  std::vector<Step> steps_;
  RowLayout layout_;
  Comparison test_;
};

}  // namespace yarrow
