// What the type of a column may become while its rows stay as they are. Pure functions, thread-safe.
#pragma once

#include "yarrow/type.h"

namespace yarrow {

// Whether each value of `from` is one of `to`, too, and the order stays: integers to wider ones (unsigned ones to wider
// signed ones, too) and, up to 32 bits, to double; float to double; decimals to more digits of the same scale. False
// for the same type.
bool IsWidening(const ColumnType& from, const ColumnType& to);

}  // namespace yarrow
