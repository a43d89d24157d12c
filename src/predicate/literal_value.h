// Literals of Arrow filters in the exact form of the column they are compared with. Pure functions, thread-safe.
#pragma once

#include <arrow/type_fwd.h>

#include <cmath>
#include <optional>
#include <variant>

#include "yarrow/value.h"

namespace yarrow {

inline bool IsNan(const Value& value) {
  const auto* number = std::get_if<double>(&value.variant());
  return number != nullptr && std::isnan(*number);
}

// Where a literal lies relative to the values of a column type.
struct LiteralPlace {
  enum Kind { kValue, kBelowAll, kAboveAll } kind = kValue;
  Value value;  // of kValue; NULL for a NULL literal
};

// Nothing when Arrow compares the two in a way that rounds, or refuses to: then the comparison is not ours. Otherwise
// comparing a value of the column with the result, in SQL order, is what Arrow does (NaN apart), where it does not
// fail.
std::optional<LiteralPlace> PlaceLiteral(const arrow::Scalar& literal, const ColumnType& type);

// The same for one value of an is_in list of type `list_type`: an equal type, or one that only differs in width.
bool IsSetComparable(const arrow::DataType& list_type, const ColumnType& type);

}  // namespace yarrow
