#include "yarrow/value.h"

#include <cassert>
#include <cmath>

#include "type/interval.h"

namespace yarrow {
namespace {

std::weak_ordering Order(const std::monostate&, const std::monostate&) {
  return std::weak_ordering::equivalent;
}

std::weak_ordering Order(double a, double b) {
  if (a < b) return std::weak_ordering::less;
  if (a > b) return std::weak_ordering::greater;
  if (a == b) return std::weak_ordering::equivalent;
  return std::isnan(a) <=> std::isnan(b);
}

std::weak_ordering Order(const Decimal& a, const Decimal& b) {
  assert(a.scale == b.scale && "values of two decimal types");
  if (a.unscaled == b.unscaled) return std::weak_ordering::equivalent;
  return a.unscaled < b.unscaled ? std::weak_ordering::less : std::weak_ordering::greater;
}

std::weak_ordering Order(const Interval& a, const Interval& b) {
  return CompareIntervals(a, b);
}

template <class T>
std::weak_ordering Order(const T& a, const T& b) {
  return a <=> b;
}

}  // namespace

std::weak_ordering CompareValues(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return a.is_null() <=> b.is_null();
  assert(a.variant().index() == b.variant().index() && "values of two types");
  return std::visit(
      [&b](const auto& left) {
        const auto* right = std::get_if<std::decay_t<decltype(left)>>(&b.variant());
        return right != nullptr ? Order(left, *right) : std::weak_ordering::less;
      },
      a.variant());
}

}  // namespace yarrow
