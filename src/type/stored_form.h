// What a Value holds, to and from the 16 bytes of the types that lie so in rows and batches. Pure functions.
#pragma once

#include <type_traits>

#include "type/interval.h"
#include "type/wide_integer.h"
#include "yarrow/value.h"

namespace yarrow {

inline Uuid ToStoredBytes(const Uuid& held) {
  return held;
}
inline Uuid ToStoredBytes(Int128 held) {
  return ToSortedBytes(held);
}
inline Uuid ToStoredBytes(UInt128 held) {
  return ToSortedBytes(held);
}
inline Uuid ToStoredBytes(const Interval& held) {
  return ToBytes(held);
}

template <class Held>
Held FromStoredBytes(const Uuid& stored) {
  if constexpr (std::is_same_v<Held, Int128>) {
    return HugeintFromSorted(stored);
  } else if constexpr (std::is_same_v<Held, UInt128>) {
    return UHugeintFromSorted(stored);
  } else if constexpr (std::is_same_v<Held, Interval>) {
    return IntervalFromBytes(stored);
  } else {
    static_assert(std::is_same_v<Held, Uuid>);
    return stored;
  }
}

}  // namespace yarrow
