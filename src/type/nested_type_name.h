// The SQL names of types that have types or labels in them: STRUCT(a INTEGER, "b c" VARCHAR[]), ENUM('x', 'y').
//
// Pure functions. The grammar is DuckDB's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "yarrow/type.h"

namespace yarrow {

// Any type's name; nothing for a text that is none. Whether the parameters are in range is not looked at.
std::optional<ColumnType> ParseTypeName(std::string_view name);

// The name of a type that is neither nested nor an ENUM.
std::optional<ColumnType> ParsePlainTypeName(std::string_view name);

// REQUIRES: the type is an ENUM, or nested and no VARIANT.
std::string FormatNestedTypeName(const ColumnType& type);

}  // namespace yarrow
