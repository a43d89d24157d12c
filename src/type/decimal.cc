#include "type/decimal.h"

#include <array>
#include <cmath>

namespace yarrow {
namespace {

constexpr std::array<Int128, kMaxDecimalPrecision + 1> MakePowersOfTen() {
  std::array<Int128, kMaxDecimalPrecision + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}
constexpr auto kPowersOfTen = MakePowersOfTen();

}  // namespace

Int128 PowerOfTen(int32_t exponent) {
  return kPowersOfTen[static_cast<size_t>(exponent)];
}

bool FitsPrecision(Int128 unscaled, int32_t precision) {
  const Int128 limit = PowerOfTen(precision);
  return unscaled < limit && unscaled > -limit;
}

std::optional<Int128> Rescale(Int128 unscaled, int32_t from_scale, int32_t to_scale) {
  const int64_t step = static_cast<int64_t>(to_scale) - from_scale;
  if (unscaled == 0 || step == 0) return unscaled;
  if (step > kMaxDecimalPrecision || step < -kMaxDecimalPrecision) return std::nullopt;
  if (step < 0) {
    const Int128 divisor = PowerOfTen(static_cast<int32_t>(-step));
    if (unscaled % divisor != 0) return std::nullopt;
    return unscaled / divisor;
  }
  Int128 result;
  if (__builtin_mul_overflow(unscaled, PowerOfTen(static_cast<int32_t>(step)), &result)) return std::nullopt;
  return result;
}

std::optional<Int128> DecimalFromDouble(double number, int32_t scale) {
  if (!std::isfinite(number)) return std::nullopt;
  if (number == 0) return Int128{0};
  // number = mantissa * 2^exponent with an odd mantissa.
  int exponent = 0;
  auto mantissa = static_cast<int64_t>(std::ldexp(std::frexp(number, &exponent), 53));
  exponent -= 53;
  const int zeros = __builtin_ctzll(static_cast<uint64_t>(mantissa));
  mantissa /= int64_t{1} << zeros;
  exponent += zeros;

  // 10^scale has `scale` factors of two to give: more halvings than that lose digits.
  if (exponent < -scale || exponent > 126) return std::nullopt;
  Int128 result = PowerOfTen(scale);
  if (exponent < 0) {
    result /= static_cast<Int128>(1) << -exponent;
  } else if (__builtin_mul_overflow(result, static_cast<Int128>(1) << exponent, &result)) {
    return std::nullopt;
  }
  if (__builtin_mul_overflow(result, static_cast<Int128>(mantissa), &result)) return std::nullopt;
  return result;
}

std::optional<double> DoubleFromDecimal(Int128 unscaled, int32_t scale) {
  // unscaled / 10^scale is a binary fraction only if 5^scale divides it.
  int halvings = 0;
  for (; halvings < scale && unscaled % 5 == 0; ++halvings) unscaled /= 5;
  if (halvings < scale && unscaled != 0) return std::nullopt;
  const auto whole = static_cast<double>(unscaled);
  if (std::fabs(whole) >= 0x1p127 || static_cast<Int128>(whole) != unscaled) return std::nullopt;
  return std::ldexp(whole, -halvings);
}

}  // namespace yarrow
