// Exact arithmetic on the unscaled 128-bit integers of decimals. All functions are pure.
#pragma once

#include <arrow/util/decimal.h>

#include <cstdint>
#include <optional>
#include <string>

#include "yarrow/value.h"

namespace yarrow {

inline constexpr int32_t kMaxDecimalPrecision = 38;

// 10^exponent. REQUIRES: 0 <= exponent <= 38.
Int128 PowerOfTen(int32_t exponent);

// Whether `unscaled` has at most `precision` digits. REQUIRES: 0 <= precision <= 38.
bool FitsPrecision(Int128 unscaled, int32_t precision);

// unscaled * 10^(to_scale - from_scale), or nothing when digits would be lost or 128 bits are too few.
std::optional<Int128> Rescale(Int128 unscaled, int32_t from_scale, int32_t to_scale);

// The unscaled value that equals `number` exactly at `scale`, or nothing. REQUIRES: 0 <= scale <= 38.
std::optional<Int128> DecimalFromDouble(double number, int32_t scale);

// The double that equals unscaled / 10^scale exactly, or nothing.
std::optional<double> DoubleFromDecimal(Int128 unscaled, int32_t scale);

inline arrow::Decimal128 ToArrowDecimal(Int128 unscaled) {
  return arrow::Decimal128(static_cast<int64_t>(unscaled >> 64), static_cast<uint64_t>(unscaled));
}
inline Int128 FromArrowDecimal(const arrow::Decimal128& decimal) {
  return static_cast<Int128>(decimal.high_bits()) * (static_cast<Int128>(1) << 64) + decimal.low_bits();
}

}  // namespace yarrow
