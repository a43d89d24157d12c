// GEOMETRY: well-known binary (OGC 06-103r4, 8.2, with ISO's numbers of Z and M), little-endian throughout, as DuckDB
// holds it. Pure functions.
#pragma once

#include <string_view>

namespace yarrow {

// Whether the bytes are one geometry and nothing else. Parts of collections have the dimensions of the whole.
bool IsWellKnownBinary(std::string_view bytes);

}  // namespace yarrow
