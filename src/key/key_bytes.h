// The byte forms that encoded keys are made of: big-endian numbers and escaped, terminated bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace yarrow {

inline constexpr char kEscape = '\x00';       // introduces the two below
inline constexpr char kEscapedZero = '\xFF';  // a zero byte of the text
inline constexpr char kEscapedEnd = '\x01';   // the end of the text

// Big-endian <-> the machine's little-endian.
inline uint8_t SwapBytes(uint8_t v) {
  return v;
}
inline uint16_t SwapBytes(uint16_t v) {
  return __builtin_bswap16(v);
}
inline uint32_t SwapBytes(uint32_t v) {
  return __builtin_bswap32(v);
}
inline uint64_t SwapBytes(uint64_t v) {
  return __builtin_bswap64(v);
}

template <class Unsigned>
void AppendBigEndian(Unsigned number, std::string* out) {
  number = SwapBytes(number);
  out->append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// REQUIRES: sizeof(Unsigned) readable bytes.
template <class Unsigned>
Unsigned LoadBigEndian(const char* bytes) {
  Unsigned number;
  std::memcpy(&number, bytes, sizeof(number));
  return SwapBytes(number);
}

// The first 8 bytes as a number, with zeros behind what is shorter. Bytes of a lower head come first; bytes of equal
// heads may differ in zeros at their end and in all that follows.
inline uint64_t LoadHead(std::string_view bytes) {
  uint64_t head = 0;
  std::memcpy(&head, bytes.data(), std::min(bytes.size(), sizeof(head)));
  return SwapBytes(head);
}

inline void AppendEscaped(std::string_view text, std::string* out) {
  size_t start = 0;
  for (size_t zero = text.find('\0'); zero != std::string_view::npos; zero = text.find('\0', start)) {
    out->append(text, start, zero - start).append({kEscape, kEscapedZero});
    start = zero + 1;
  }
  out->append(text, start).append({kEscape, kEscapedEnd});
}

// Size of the escaped text at the front of `bytes`, its terminator included; npos when it does not end or has a wrong
// escape.
inline size_t EscapedSize(std::string_view bytes) {
  for (size_t at = bytes.find(kEscape); at != std::string_view::npos && at + 1 < bytes.size();
       at = bytes.find(kEscape, at + 2)) {
    if (bytes[at + 1] == kEscapedEnd) return at + 2;
    if (bytes[at + 1] != kEscapedZero) return std::string_view::npos;
  }
  return std::string_view::npos;
}

// Undoes AppendEscaped. REQUIRES: `escaped` is what EscapedSize measured.
inline std::string Unescape(std::string_view escaped) {
  escaped.remove_suffix(2);
  std::string text;
  size_t start = 0;
  for (size_t at = escaped.find(kEscape); at != std::string_view::npos; at = escaped.find(kEscape, start)) {
    text.append(escaped, start, at + 1 - start);
    start = at + 2;
  }
  return text.append(escaped, start);
}

}  // namespace yarrow
