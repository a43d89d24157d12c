#include "predicate/key_domain.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "key/key_bytes.h"
#include "predicate/normal_form.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

bool Has(const std::vector<KeyRange>& ranges, std::string_view point) {
  const auto above = std::upper_bound(ranges.begin(), ranges.end(), point,
                                      [](std::string_view p, const KeyRange& range) { return p < range.lower; });
  return above != ranges.begin() && std::prev(above)->Contains(point);
}

// The encoded values above `encoded`. Its successor is that of a prefix, as other key columns follow it; there is none
// when it is all 0xFF and so the last of its type.
std::vector<KeyRange> Above(std::string_view encoded) {
  std::string lower = PrefixSuccessor(encoded);
  if (lower.empty()) return {};
  return {{std::move(lower), {}}};
}

// The encoded values below the bound `upper`. The bound cannot be below all: an empty upper means none.
std::vector<KeyRange> Below(std::string upper) {
  return {{{}, std::move(upper)}};
}

std::vector<KeyRange> RangesOf(Op op, const std::string& encoded) {
  switch (op) {
    case Op::kLt:
      return Below(encoded);
    case Op::kLe:
      return Below(PrefixSuccessor(encoded));
    case Op::kGt:
      return Above(encoded);
    default:
      return {{encoded, {}}};  // kGe
  }
}

// All values but NULL, of a nullable part.
std::vector<KeyRange> NotNull() {
  return Below(std::string(1, kNullPart));
}

// An escaped prefix without terminator, which all texts that start with it share.
std::string EscapedPrefix(const std::string& text, const KeyPart& part) {
  std::string prefix;
  if (part.nullable) prefix.push_back(kValueFollows);
  AppendEscaped(text, &prefix);
  prefix.resize(prefix.size() - 2);
  return prefix;
}

}  // namespace

KeyDomain KeyDomain::All() {
  KeyDomain domain;
  domain.ranges_ = {KeyRange{}};
  return domain;
}

KeyDomain KeyDomain::None() {
  return {};
}

bool KeyDomain::is_all() const {
  return ranges_.size() == 1 && ranges_.front() == KeyRange{};
}

KeyDomain KeyDomain::Intersect(const KeyDomain& a, const KeyDomain& b) {
  KeyDomain both;
  const auto keep = [&](const KeyDomain& from, const KeyDomain& other, bool points_too) {
    for (const std::string& point : from.points_) {
      const bool in_points = points_too && std::binary_search(other.points_.begin(), other.points_.end(), point);
      if (in_points || Has(other.ranges_, point)) both.points_.push_back(point);
    }
  };
  keep(a, b, true);
  keep(b, a, false);
  std::sort(both.points_.begin(), both.points_.end());
  both.ranges_ = yarrow::Intersect(a.ranges_, b.ranges_);
  return both;
}

KeyDomain KeyDomain::Unite(const KeyDomain& a, const KeyDomain& b) {
  KeyDomain either;
  either.ranges_ = yarrow::Unite(a.ranges_, b.ranges_);
  std::set_union(a.points_.begin(), a.points_.end(), b.points_.begin(), b.points_.end(),
                 std::back_inserter(either.points_));
  std::erase_if(either.points_, [&](const std::string& point) { return Has(either.ranges_, point); });
  return either;
}

KeyRange KeyDomain::Hull() const {
  KeyRange hull;
  const bool points_first = !points_.empty() && (ranges_.empty() || points_.front() < ranges_.front().lower);
  hull.lower = points_first ? points_.front() : ranges_.front().lower;
  if (!ranges_.empty() && ranges_.back().upper.empty()) return hull;
  if (!ranges_.empty()) hull.upper = ranges_.back().upper;
  if (points_.empty() || (!ranges_.empty() && points_.back() < hull.upper)) return hull;
  hull.upper = PrefixSuccessor(points_.back());
  return hull;
}

arrow::Result<KeyDomain> KeyDomain::Of(const Predicate& predicate, const KeyPart& part, bool* exact) {
  const bool is_and = predicate.kind() == Kind::kAnd;
  if (is_and || predicate.kind() == Kind::kOr) {
    KeyDomain domain = is_and ? All() : None();
    for (const Predicate& child : predicate.children()) {
      ARROW_ASSIGN_OR_RAISE(const KeyDomain next, Of(child, part, exact));
      domain = is_and ? Intersect(domain, next) : Unite(domain, next);
    }
    return domain;
  }
  const auto [test, negated] = AsLeaf(predicate);
  const bool is_unequal = test.kind() == Kind::kCompare && test.op() == Op::kNe;
  if (negated || is_unequal) {
    // Going around single values costs a seek each, and passing over them a comparison a row.
    *exact = false;
    return All();
  }
  KeyDomain domain;
  for (const Value& value : test.values()) {
    if (test.kind() == Kind::kStartsWith) {
      domain.ranges_ = {PrefixRange(EscapedPrefix(value.get<std::string>(), part))};
      return domain;
    }
    std::string encoded;
    ARROW_RETURN_NOT_OK(EncodeKeyPart(value, part, &encoded));
    if (test.kind() == Kind::kIn || test.op() == Op::kEq) {
      domain.points_.push_back(std::move(encoded));
    } else {
      domain.ranges_ = Normalize(RangesOf(test.op(), encoded));
      if (part.nullable) domain.ranges_ = yarrow::Intersect(domain.ranges_, NotNull());
    }
  }
  if (test.kind() == Kind::kIsNotNull && !part.nullable) return All();
  if (test.kind() == Kind::kIsNotNull) domain.ranges_ = NotNull();
  if (test.kind() == Kind::kIsNull && part.nullable) domain.points_ = {std::string(1, kNullPart)};
  return domain;
}

}  // namespace yarrow
