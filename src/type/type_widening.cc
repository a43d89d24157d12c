#include "type/type_widening.h"

namespace yarrow {
namespace {

bool IsSigned(TypeId id) {
  return id >= TypeId::kInt8 && id <= TypeId::kInt64;
}

bool IsUnsigned(TypeId id) {
  return id >= TypeId::kUInt8 && id <= TypeId::kUInt64;
}

}  // namespace

bool IsWidening(const ColumnType& from, const ColumnType& to) {
  const bool is_wider = from.fixed_width() < to.fixed_width();
  if (IsSigned(from.id) && IsSigned(to.id)) return is_wider;
  if (IsUnsigned(from.id) && (IsUnsigned(to.id) || IsSigned(to.id))) return is_wider;
  if (to.id == TypeId::kDouble) {
    return from.id == TypeId::kFloat || ((IsSigned(from.id) || IsUnsigned(from.id)) && is_wider);
  }
  if (from.id == TypeId::kDecimal128 && to.id == TypeId::kDecimal128) {
    return from.scale == to.scale && from.precision < to.precision;
  }
  return false;
}

}  // namespace yarrow
