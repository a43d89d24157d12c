#include "cold/column_statistics.h"

#include <string>
#include <utility>

namespace yarrow::cold {
namespace {

bool IsLong(const Value& bound) {
  const auto* text = std::get_if<std::string>(&bound.variant());
  return text != nullptr && text->size() > kMaxBoundSize;
}

// A cut in the middle of a letter is moved before it.
std::string Prefix(const std::string& text, bool is_utf8) {
  size_t size = kMaxBoundSize;
  while (is_utf8 && size > 0 && (static_cast<uint8_t>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

Value ShortenLowerBound(Value bound, bool* is_exact) {
  if (!IsLong(bound)) return bound;
  *is_exact = false;
  return Value(Prefix(bound.get<std::string>(), /*is_utf8=*/true));
}

std::optional<Value> ShortenUpperBound(Value bound, const ColumnType& type, bool* is_exact) {
  if (!IsLong(bound)) return bound;
  *is_exact = false;
  const bool is_utf8 = type.id == TypeId::kUtf8;
  std::string text = Prefix(bound.get<std::string>(), is_utf8);
  // The last byte that has a next one; in text only ASCII letters are raised, others are dropped whole.
  const uint8_t last = is_utf8 ? 0x7F : 0xFF;
  while (!text.empty() && static_cast<uint8_t>(text.back()) >= last) text.pop_back();
  if (text.empty()) return std::nullopt;
  ++text.back();
  return Value(std::move(text));
}

}  // namespace yarrow::cold
