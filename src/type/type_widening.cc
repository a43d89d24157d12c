#include "type/type_widening.h"

#include "type/type_traits.h"

namespace yarrow {
bool IsWidening(const ColumnType& from, const ColumnType& to) {
  const bool is_wider = from.fixed_width() < to.fixed_width();
  switch (KindOf(from)) {
    case TypeKind::kInteger:
      // A double holds every integer of up to four bytes.
      if (IsReal(to)) return to.id == TypeId::kDouble && is_wider;
      return IsInteger(to) && (IsUnsigned(from) || !IsUnsigned(to)) && is_wider;
    case TypeKind::kReal:
      return IsReal(to) && is_wider;
    case TypeKind::kDecimal:
      return KindOf(to) == TypeKind::kDecimal && from.scale == to.scale && from.precision < to.precision;
    default:
      return false;
  }
}

}  // namespace yarrow
