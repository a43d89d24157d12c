// Ranges of encoded keys and the arithmetic on them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace yarrow {

// Keys k with lower <= k < upper, in memcmp order; an empty upper is unbounded.
struct KeyRange {
  std::string lower;
  std::string upper;

  bool empty() const { return !upper.empty() && lower >= upper; }
  bool Contains(std::string_view key) const { return key >= lower && (upper.empty() || key < upper); }
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// The least key above all keys that start with `prefix`; empty (unbounded) when there is none (prefix is all 0xFF).
std::string PrefixSuccessor(std::string_view prefix);
// The least key above `key` itself.
std::string KeySuccessor(std::string_view key);
KeyRange PrefixRange(std::string_view prefix);

// Sorted, disjoint, non-empty, adjacent ones joined. The set of keys is that of the input.
std::vector<KeyRange> Normalize(std::vector<KeyRange> ranges);
// REQUIRES: both normalized. So is the result.
std::vector<KeyRange> Intersect(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b);
std::vector<KeyRange> Unite(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b);

}  // namespace yarrow
