#include "batch/cell_reader.h"

namespace yarrow::batch {

bool ReadKeyText(const uint8_t* begin, const uint8_t* end, std::string* scratch, std::string_view* text,
                 uint32_t* size) {
  bool escaped = false;
  const uint8_t* piece = begin;
  while (true) {
    const auto* zero = static_cast<const uint8_t*>(std::memchr(piece, 0, static_cast<size_t>(end - piece)));
    if (zero == nullptr || zero + 1 >= end) return false;
    const bool is_end = zero[1] == 0x01;
    if (!is_end && zero[1] != 0xFF) return false;
    if (is_end && !escaped) {
      *text = {reinterpret_cast<const char*>(begin), static_cast<size_t>(zero - begin)};
    } else {
      if (!escaped) scratch->clear();
      escaped = true;
      // An escaped zero itself belongs to the text; the terminator's does not.
      scratch->append(reinterpret_cast<const char*>(piece), static_cast<size_t>(zero - piece) + (is_end ? 0 : 1));
      if (is_end) *text = *scratch;
    }
    piece = zero + 2;
    if (is_end) break;
  }
  *size = static_cast<uint32_t>(piece - begin);
  return true;
}

}  // namespace yarrow::batch
