#include "key/key_range.h"

#include <algorithm>

namespace yarrow {
namespace {

// Order of upper bounds, where empty is the greatest.
bool UpperLess(const std::string& a, const std::string& b) {
  if (a.empty()) return false;
  return b.empty() || a < b;
}

}  // namespace

std::string PrefixSuccessor(std::string_view prefix) {
  const size_t last = prefix.find_last_not_of('\xFF');
  if (last == std::string_view::npos) return {};
  std::string successor(prefix.substr(0, last + 1));
  successor.back() = static_cast<char>(static_cast<unsigned char>(successor.back()) + 1);
  return successor;
}

std::string KeySuccessor(std::string_view key) {
  return std::string(key).append(1, '\0');
}

KeyRange PrefixRange(std::string_view prefix) {
  return {std::string(prefix), PrefixSuccessor(prefix)};
}

std::vector<KeyRange> Normalize(std::vector<KeyRange> ranges) {
  std::erase_if(ranges, [](const KeyRange& range) { return range.empty(); });
  std::sort(ranges.begin(), ranges.end(), [](const KeyRange& a, const KeyRange& b) { return a.lower < b.lower; });
  std::vector<KeyRange> result;
  for (KeyRange& range : ranges) {
    const bool joins = !result.empty() && (result.back().upper.empty() || range.lower <= result.back().upper);
    if (!joins) {
      result.push_back(std::move(range));
    } else if (UpperLess(result.back().upper, range.upper)) {
      result.back().upper = std::move(range.upper);
    }
  }
  return result;
}

std::vector<KeyRange> Intersect(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b) {
  std::vector<KeyRange> result;
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() && right != b.end()) {
    const bool left_ends_first = UpperLess(left->upper, right->upper);
    KeyRange both{std::max(left->lower, right->lower), left_ends_first ? left->upper : right->upper};
    if (!both.empty()) result.push_back(std::move(both));
    left_ends_first ? ++left : ++right;
  }
  return result;
}

std::vector<KeyRange> Unite(const std::vector<KeyRange>& a, const std::vector<KeyRange>& b) {
  std::vector<KeyRange> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return Normalize(std::move(all));
}

}  // namespace yarrow
