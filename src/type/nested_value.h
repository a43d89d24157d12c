// Values of nested types, taken apart and put together. Pure functions. The bytes: type/nested_bytes.h.
#pragma once

#include <string>
#include <string_view>

#include "yarrow/value.h"

namespace yarrow {

// For people: [1, NULL], {'a': 1}, {key=value}. Bytes that are none of the type are shown as BLOBs are.
std::string FormatNestedValue(const ColumnType& type, std::string_view bytes);

}  // namespace yarrow
