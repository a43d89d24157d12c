// What makes a number or text a value of a column type: the rules that casts, codecs and validators share.
// All functions are pure and thread-safe.
#pragma once

#include <string_view>

#include "yarrow/value.h"

namespace yarrow {

struct IntegerRange {
  Int128 least;
  Int128 greatest;
};

// The values of an integer, date, time or timestamp type; empty (least > greatest) for the other types.
IntegerRange RangeOf(const ColumnType& type);

// Whether a float has exactly this value (any NaN counts, and so do the infinities).
bool IsFloat(double number);

bool IsUtf8(std::string_view text);

}  // namespace yarrow
