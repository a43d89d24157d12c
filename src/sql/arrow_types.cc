#include "sql/arrow_types.h"

#include <algorithm>

#include "type/type_traits.h"

namespace yarrow::sql {

bool IsOfArrow(const ColumnType& type) {
  if (type.id == TypeId::kUnion || type.id == TypeId::kVariant) return false;
  if (type.id == TypeId::kJson) return true;  // as text
  if (!type.is_nested()) return IsBatchTypeArrow(type) && type.id != TypeId::kGeometry;
  return std::ranges::all_of(type.members(), [](const TypeMember& member) { return IsOfArrow(member.type); });
}

bool IsNestedOfArrow(const ColumnType& type) {
  return type.is_nested() && IsOfArrow(type);
}

bool HasSqlText(const ColumnType& type) {
  if (type.id == TypeId::kUnion || type.id == TypeId::kVariant || type.id == TypeId::kGeometry) return true;
  return type.is_nested() &&
         std::ranges::any_of(type.members(), [](const TypeMember& member) { return HasSqlText(member.type); });
}

}  // namespace yarrow::sql
