// Which types DuckDB and Arrow both have.
#pragma once

#include "yarrow/type.h"

namespace yarrow::sql {

// How columns of nested types come: as DuckDB's text, for people, or as Arrow has them, if Arrow has all of their
// parts.
enum class NestedValues { kAsText, kAsArrow };

// Whether DuckDB exports values of the type, and all of their parts, to Arrow as they are.
bool IsOfArrow(const ColumnType& type);

// The same of a nested type; false for the others.
bool IsNestedOfArrow(const ColumnType& type);

// Whether a value of the type, or a part of one, has another text in SQL than its parts have: UNION, VARIANT, GEOMETRY.
bool HasSqlText(const ColumnType& type);

}  // namespace yarrow::sql
