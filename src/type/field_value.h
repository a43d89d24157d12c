// One fixed or variable field: its little-endian bytes, and the value they stand for.
//
// Thread-safe: pure functions. The checks return what is wrong, or nullptr.
#pragma once

#include <string_view>

#include "yarrow/value.h"

namespace yarrow {

// REQUIRES (of all three): type.fixed_width() bytes at `bytes`.
const char* CheckFixedBytes(const ColumnType& type, const char* bytes);
// REQUIRES: CheckFixedBytes found nothing wrong.
Value LoadFixedValue(const ColumnType& type, const char* bytes);
// Error when the value is not in the exact form of the type; NULL is none.
arrow::Status StoreFixedValue(const Value& value, const ColumnType& type, char* bytes);

const char* CheckVariableBytes(const ColumnType& type, std::string_view bytes);

}  // namespace yarrow
