// Literals of a --where expression in the type of the column they are compared with.
#pragma once

#include <arrow/result.h>

#include <cstddef>
#include <string>

#include "yarrow/type.h"
#include "yarrow/value.h"

namespace yarrow::cli {

struct WhereColumn {
  std::string name;
  ColumnType type;
};

struct WhereLiteral {
  enum class Kind { kNull, kBool, kNumber, kText, kDate, kTime, kTimestamp };
  Kind kind = Kind::kNull;
  std::string text;     // without quotes; true or false
  size_t position = 0;  // in the expression
};

// Where a literal lies among the values of a column's type: `price < 1.005` has a meaning for a DECIMAL(10,2), and
// `delay > 1.5` for a BIGINT, though neither type holds the literal.
struct PlacedLiteral {
  enum class Place {
    kNull,
    kAt,         // equal to `value`
    kJustAbove,  // above `value` and below the next one
    kBelowAll,
    kAboveAll,
  };
  Place place = Place::kNull;
  Value value;  // in the exact form of the column's type
};

// Invalid, with the position, when a literal of that kind cannot be compared with the column or cannot be read.
arrow::Result<PlacedLiteral> PlaceLiteral(const WhereLiteral& literal, const WhereColumn& column);

}  // namespace yarrow::cli
