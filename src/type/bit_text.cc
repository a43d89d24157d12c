#include "type/bit_text.h"

#include <cstdint>

namespace yarrow {

bool IsBits(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const auto padding = static_cast<uint8_t>(bytes[0]);
  if (padding > 7) return false;
  const auto mask = static_cast<uint8_t>(0xFF00 >> padding);
  return (static_cast<uint8_t>(bytes[1]) & mask) == mask;
}

std::string FormatBits(std::string_view bytes) {
  const auto padding = static_cast<size_t>(bytes[0]);
  std::string text;
  for (size_t bit = padding; bit < 8 * (bytes.size() - 1); ++bit) {
    text += (static_cast<uint8_t>(bytes[1 + bit / 8]) >> (7 - bit % 8)) & 1 ? '1' : '0';
  }
  return text;
}

std::optional<std::string> ParseBits(std::string_view text) {
  if (text.empty() || text.find_first_not_of("01") != std::string_view::npos) return std::nullopt;
  const size_t padding = (8 - text.size() % 8) % 8;
  std::string bytes(1 + (text.size() + padding) / 8, '\0');
  bytes[0] = static_cast<char>(padding);
  for (size_t bit = 0; bit < padding + text.size(); ++bit) {
    const bool is_set = bit < padding || text[bit - padding] == '1';
    if (is_set) bytes[1 + bit / 8] = static_cast<char>(bytes[1 + bit / 8] | 1 << (7 - bit % 8));
  }
  return bytes;
}

}  // namespace yarrow
