// KeyDomain: the encoded values that a predicate on one key column leaves to it. A value type, not thread-safe.
#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "key/key_codec.h"
#include "key/key_range.h"
#include "yarrow/predicate.h"

namespace yarrow {

// Single values and ranges are kept apart: below a single value the next key column can narrow further, below a range
// it cannot. An encoded value belongs to the domain when it is one of `points` or in one of `ranges`. Bounds of ranges
// lie between encoded values, so a range has all keys that start with the values it has.
class KeyDomain {
 public:
  static KeyDomain All();
  static KeyDomain None();

  // REQUIRES: in normal form and checked, all leaves on the column of `part`. Sets `exact` to false when the domain has
  // values for which the predicate is not true (it never lacks one for which it is).
  static arrow::Result<KeyDomain> Of(const Predicate& predicate, const KeyPart& part, bool* exact);

  static KeyDomain Intersect(const KeyDomain& a, const KeyDomain& b);
  static KeyDomain Unite(const KeyDomain& a, const KeyDomain& b);

  const std::vector<std::string>& points() const { return points_; }  // sorted, unique, in none of the ranges
  const std::vector<KeyRange>& ranges() const { return ranges_; }     // normalized
  bool is_all() const;
  size_t piece_count() const { return points_.size() + ranges_.size(); }
  // One range that has all of it. REQUIRES: piece_count() > 0.
  KeyRange Hull() const;

 private:
  std::vector<std::string> points_;
  std::vector<KeyRange> ranges_;
};

}  // namespace yarrow
