// Layouts and rows for randomised tests of encoded rows.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "row/row_layout.h"
#include "value_generator.h"

namespace yarrow::test {

inline RowLayout AnyLayout(ValueGenerator* generator) {
  std::vector<ColumnType> types(generator->OneIn(10) ? 0 : generator->Below(12));
  for (ColumnType& type : types) type = generator->AnyType();
  return RowLayout::Make(static_cast<uint32_t>(generator->Below(1 << 30)), std::move(types)).ValueOrDie();
}

// One value in the exact form of its type, or NULL, a field.
inline std::vector<Value> AnyRow(const RowLayout& layout, ValueGenerator* generator) {
  std::vector<Value> row;
  for (size_t field = 0; field < layout.field_count(); ++field) {
    row.push_back(generator->AnyValueOrNull(layout.type(field)));
  }
  return row;
}

inline std::string Encoded(const RowLayout& layout, std::span<const Value> row, bool deleted = false) {
  RowWriter writer(&layout);
  for (size_t field = 0; field < row.size(); ++field) {
    const arrow::Status status = writer.Set(field, row[field]);
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
  std::string bytes;
  const arrow::Status status = writer.Finish(deleted, &bytes);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return bytes;
}
inline std::string Encoded(const RowLayout& layout, std::initializer_list<Value> row, bool deleted = false) {
  return Encoded(layout, std::span(row.begin(), row.size()), deleted);
}

// Equal, and -0.0 apart from 0.0.
inline bool SameBits(const Value& a, const Value& b) {
  if (a.variant().index() != b.variant().index()) return false;
  if (const auto* real = std::get_if<double>(&a.variant())) {
    return std::memcmp(real, &b.get<double>(), sizeof(double)) == 0;
  }
  return std::is_eq(CompareValues(a, b));
}

}  // namespace yarrow::test
