// Numbers and bytes as lower-case hex digits, as the footer of a segment has them. Pure functions.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace yarrow::cold {

inline constexpr char kHexDigits[] = "0123456789abcdef";

inline void AppendHex(uint64_t number, size_t digits, std::string* out) {
  for (size_t i = digits; i-- > 0;) out->push_back(kHexDigits[(number >> (4 * i)) & 15]);
}

// False when `text` is more, or something else.
inline bool ReadHex(std::string_view text, uint64_t* number) {
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, *number, 16);
  return error == std::errc() && end == last;
}

inline void AppendHexOfBytes(std::string_view bytes, std::string* out) {
  for (const char byte : bytes) AppendHex(static_cast<uint8_t>(byte), 2, out);
}

inline bool ReadHexOfBytes(std::string_view text, std::string* bytes) {
  bytes->clear();
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    uint64_t byte = 0;
    if (!ReadHex(text.substr(i, 2), &byte)) return false;
    bytes->push_back(static_cast<char>(byte));
  }
  return true;
}

}  // namespace yarrow::cold
