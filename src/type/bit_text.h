// Strings of bits, BIT in SQL. Pure functions.
//
// As bytes they lie as in DuckDB: a byte with the number of padding bits, 0 to 7, then the bits, the first one the
// highest of its byte; the padding bits come first and are 1. Frozen: on disk.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace yarrow {

bool IsBits(std::string_view bytes);
// "0101". REQUIRES: IsBits(bytes).
std::string FormatBits(std::string_view bytes);
// Nothing for a text that is empty or has other characters than 0 and 1.
std::optional<std::string> ParseBits(std::string_view text);

}  // namespace yarrow
