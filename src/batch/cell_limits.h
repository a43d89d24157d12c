// What column ops of both directions need to know of a type, looked up once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "type/calendar.h"
#include "type/decimal.h"
#include "type/type_traits.h"
#include "yarrow/type.h"

namespace yarrow::batch {

// The bit that the key encoding flips in the (upper) integer: none where the bytes sort as they are.
inline uint64_t KeySignBit(const ColumnType& type) {
  const TypeKind kind = KindOf(type);
  const bool is_signed = (kind == TypeKind::kInteger && !IsUnsigned(type)) || kind == TypeKind::kReal ||
                         kind == TypeKind::kDecimal || IsTemporal(type);
  return is_signed ? uint64_t{1} << (std::min(type.fixed_width(), 8) * 8 - 1) : 0;
}

// Fills the limits of a ColumnOp or an EncodeOp.
template <class Op>
void SetLimits(const ColumnType& type, Op* op) {
  op->is_utf8 = IsText(type);
  op->flip = KeySignBit(type);
  if (type.id == TypeId::kTime64) op->limit = static_cast<uint64_t>(UnitsPerDay(type.unit)) + 1;
  if (type.id == TypeId::kEnum) op->limit = type.labels().size();
  if (type.id == TypeId::kDecimal128) op->decimal_limit = PowerOfTen(type.precision);
}

}  // namespace yarrow::batch
