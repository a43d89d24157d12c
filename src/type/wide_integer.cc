#include "type/wide_integer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace yarrow {
namespace {

constexpr UInt128 kSignBit = UInt128{1} << 127;
constexpr size_t kBignumHeader = 3;
constexpr uint32_t kBignumPositive = 0x800000;
constexpr size_t kMostBignumBytes = 0x7FFFFF;

UInt128 LoadSorted(const Uuid& bytes) {
  UInt128 number = 0;
  for (const uint8_t byte : bytes.bytes) number = number << 8 | byte;
  return number;
}

Uuid StoreSorted(UInt128 number) {
  Uuid bytes;
  for (size_t i = bytes.bytes.size(); i-- > 0; number >>= 8) bytes.bytes[i] = static_cast<uint8_t>(number);
  return bytes;
}

// A text of an integer: its sign and its digits without leading zeros, "" for zero.
struct Digits {
  bool is_negative = false;
  std::string_view digits;
};
std::optional<Digits> TakeDigits(std::string_view text) {
  Digits taken;
  if (text.starts_with('-') || text.starts_with('+')) {
    taken.is_negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  taken.digits = text;
  return taken;
}

std::optional<UInt128> ToNumber(std::string_view digits) {
  UInt128 number = 0;
  for (const char c : digits) {
    if (__builtin_mul_overflow(number, UInt128{10}, &number) ||
        __builtin_add_overflow(number, static_cast<UInt128>(c - '0'), &number)) {
      return std::nullopt;
    }
  }
  return number;
}

arrow::Decimal256 FromWords(UInt128 low, uint64_t sign) {
  return arrow::Decimal256(arrow::BasicDecimal256(
      arrow::BasicDecimal256::LittleEndianArray,
      std::array<uint64_t, 4>{static_cast<uint64_t>(low), static_cast<uint64_t>(low >> 64), sign, sign}));
}

UInt128 LowWords(const arrow::Decimal256& number) {
  const auto words = number.little_endian_array();
  return static_cast<UInt128>(words[1]) << 64 | words[0];
}

}  // namespace

std::string FormatInteger(UInt128 number) {
  std::string text;
  do {
    text += static_cast<char>('0' + static_cast<int>(number % 10));
    number /= 10;
  } while (number != 0);
  return {text.rbegin(), text.rend()};
}

std::string FormatInteger(Int128 number) {
  if (number >= 0) return FormatInteger(static_cast<UInt128>(number));
  return "-" + FormatInteger(-static_cast<UInt128>(number));
}

std::optional<Int128> ParseHugeint(std::string_view text) {
  const std::optional<Digits> taken = TakeDigits(text);
  const std::optional<UInt128> number = taken ? ToNumber(taken->digits) : std::nullopt;
  if (!number || *number > (taken->is_negative ? kSignBit : kSignBit - 1)) return std::nullopt;
  return static_cast<Int128>(taken->is_negative ? -*number : *number);
}

std::optional<UInt128> ParseUHugeint(std::string_view text) {
  const std::optional<Digits> taken = TakeDigits(text);
  if (!taken || (taken->is_negative && !taken->digits.empty())) return std::nullopt;
  return ToNumber(taken->digits);
}

Uuid ToSortedBytes(Int128 number) {
  return StoreSorted(static_cast<UInt128>(number) ^ kSignBit);
}
Uuid ToSortedBytes(UInt128 number) {
  return StoreSorted(number);
}
Int128 HugeintFromSorted(const Uuid& bytes) {
  return static_cast<Int128>(LoadSorted(bytes) ^ kSignBit);
}
UInt128 UHugeintFromSorted(const Uuid& bytes) {
  return LoadSorted(bytes);
}

arrow::Decimal256 ToDecimal256(Int128 number) {
  return FromWords(static_cast<UInt128>(number), number < 0 ? ~uint64_t{0} : 0);
}
arrow::Decimal256 ToDecimal256(UInt128 number) {
  return FromWords(number, 0);
}
std::optional<Int128> HugeintFrom(const arrow::Decimal256& number) {
  const auto low = static_cast<Int128>(LowWords(number));
  return ToDecimal256(low) == number ? std::optional(low) : std::nullopt;
}
std::optional<UInt128> UHugeintFrom(const arrow::Decimal256& number) {
  const UInt128 low = LowWords(number);
  return ToDecimal256(low) == number ? std::optional(low) : std::nullopt;
}

bool IsBignum(std::string_view bytes) {
  if (bytes.size() <= kBignumHeader) return false;
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  const uint32_t header = byte(0) << 16 | byte(1) << 8 | byte(2);
  const bool is_negative = (header & kBignumPositive) == 0;
  const uint32_t size = (is_negative ? ~header : header) & 0x7FFFFF;
  if (size != bytes.size() - kBignumHeader) return false;
  const bool begins_with_zero = byte(kBignumHeader) == (is_negative ? 0xFF : 0);
  return !begins_with_zero || (size == 1 && !is_negative);
}

std::string FormatBignum(std::string_view bytes) {
  const bool is_negative = (static_cast<uint8_t>(bytes[0]) & 0x80) == 0;
  std::vector<uint32_t> words;  // of 9 decimal digits, the lowest first
  for (const char c : bytes.substr(kBignumHeader)) {
    uint64_t carry = static_cast<uint8_t>(is_negative ? ~c : c);
    for (uint32_t& word : words) {
      carry += uint64_t{word} << 8;
      word = static_cast<uint32_t>(carry % 1'000'000'000);
      carry /= 1'000'000'000;
    }
    if (carry != 0) words.push_back(static_cast<uint32_t>(carry));
  }
  if (words.empty()) return "0";
  std::string text = (is_negative ? "-" : "") + std::to_string(words.back());
  for (size_t i = words.size() - 1; i-- > 0;) {
    const std::string digits = std::to_string(words[i]);
    text.append(9 - digits.size(), '0').append(digits);
  }
  return text;
}

std::optional<std::string> ParseBignum(std::string_view text) {
  const std::optional<Digits> taken = TakeDigits(text);
  if (!taken) return std::nullopt;
  std::vector<uint32_t> words;  // of 32 bits, the lowest first
  for (const char c : taken->digits) {
    uint64_t carry = static_cast<uint64_t>(c - '0');
    for (uint32_t& word : words) {
      carry += uint64_t{word} * 10;
      word = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<uint32_t>(carry));
  }
  std::string value;
  for (size_t i = words.size(); i-- > 0;) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      const auto byte = static_cast<char>(words[i] >> shift);
      if (byte != 0 || !value.empty()) value += byte;
    }
  }
  if (value.empty()) value = std::string(1, '\0');
  if (value.size() > kMostBignumBytes) return std::nullopt;
  const auto header = kBignumPositive | static_cast<uint32_t>(value.size());
  std::string bytes{static_cast<char>(header >> 16), static_cast<char>(header >> 8), static_cast<char>(header)};
  bytes += value;
  if (taken->is_negative && !taken->digits.empty()) {
    for (char& c : bytes) c = static_cast<char>(~c);
  }
  return bytes;
}

}  // namespace yarrow
