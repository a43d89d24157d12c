#include "yarrow/codec.h"

#include <algorithm>

namespace yarrow {

std::string PrefixEnd(std::string_view prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.remove_suffix(1);
  std::string end(prefix);
  if (!end.empty()) end.back() = static_cast<char>(static_cast<uint8_t>(end.back()) + 1);
  return end;
}

std::string FormatKey(std::string_view key) {
  constexpr size_t kShownBytes = 64;
  constexpr char kHex[] = "0123456789abcdef";
  const std::string_view shown = key.substr(0, kShownBytes);
  const char* const ellipsis = key.size() > kShownBytes ? "..." : "";
  const auto printable = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; };
  if (std::all_of(shown.begin(), shown.end(), printable)) return '"' + std::string(shown) + '"' + ellipsis;
  std::string text = "0x";
  for (char c : shown) {
    text += kHex[static_cast<uint8_t>(c) >> 4];
    text += kHex[static_cast<uint8_t>(c) & 15];
  }
  return text + ellipsis;
}

}  // namespace yarrow
