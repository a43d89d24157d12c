// SplitOnKey: what a predicate says about the key, as ranges of whole keys, and what it says beyond.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "predicate/key_domain.h"
#include "predicate/normal_form.h"
#include "predicate/row_predicate.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;

// Rows pass iff their key is in `ranges` (normalized) and `rest` is true.
struct Split {
  std::vector<KeyRange> ranges;
  Predicate rest;
};

// `encoded` ranges over the bytes after `prefix`.
KeyRange Below(const std::string& prefix, const KeyRange& encoded) {
  return {prefix + encoded.lower, encoded.upper.empty() ? PrefixSuccessor(prefix) : prefix + encoded.upper};
}

// How columns lie in the keys that are to be split.
struct KeyLayout {
  std::string prefix;
  std::vector<KeyPart> parts;
  std::vector<int> columns;  // one a part
  bool is_whole = true;      // keys end with the last part
};

class KeySplitter {
 public:
  KeySplitter(KeyLayout layout, size_t max_ranges)
      : layout_(std::move(layout)), max_ranges_(std::max<size_t>(max_ranges, 1)) {}

  // REQUIRES (of all): in normal form.
  arrow::Result<Split> SplitAny(const Predicate& predicate) const {
    if (predicate.kind() == Kind::kFalse) return Split{{}, Predicate::False()};
    if (predicate.kind() == Kind::kTrue) return Split{{PrefixRange(layout_.prefix)}, Predicate::True()};
    if (predicate.kind() == Kind::kOr && PartOf(predicate) < 0) return SplitOr(predicate);
    if (predicate.kind() == Kind::kAnd) return SplitAnd(predicate.children());
    return SplitAnd({predicate});
  }

 private:
  struct Conditions {
    std::vector<KeyDomain> domains;                 // by key part
    std::vector<std::optional<size_t>> exact_part;  // by conjunct: the part whose domain says the same
  };
  struct Expansion {
    std::vector<KeyRange> ranges;
    std::vector<bool> is_applied;  // by key part: its domain holds in all ranges
  };

  // The only key part that all leaves of the predicate test, or -1.
  int PartOf(const Predicate& predicate) const {
    if (predicate.column() >= 0) {
      const auto at = std::ranges::find(layout_.columns, predicate.column());
      return at == layout_.columns.end() ? -1 : static_cast<int>(at - layout_.columns.begin());
    }
    int part = -1;
    for (const Predicate& child : predicate.children()) {
      const int next = PartOf(child);
      if (next < 0 || (part >= 0 && next != part)) return -1;
      part = next;
    }
    return part;
  }

  Split Limited(Split split, const Predicate& whole) const {
    if (split.ranges.size() <= max_ranges_) return split;
    return {{KeyRange{split.ranges.front().lower, split.ranges.back().upper}}, whole};
  }

  arrow::Result<Split> SplitOr(const Predicate& predicate) const {
    Split either{{}, Predicate::True()};
    for (const Predicate& child : predicate.children()) {
      ARROW_ASSIGN_OR_RAISE(Split next, SplitAny(child));
      std::move(next.ranges.begin(), next.ranges.end(), std::back_inserter(either.ranges));
      if (next.rest.kind() != Kind::kTrue) either.rest = predicate;
    }
    either.ranges = Normalize(std::move(either.ranges));
    return Limited(std::move(either), predicate);
  }

  arrow::Result<Split> SplitAnd(const std::vector<Predicate>& conjuncts) const {
    ARROW_ASSIGN_OR_RAISE(const Conditions conditions, CollectConditions(conjuncts));
    const bool is_empty = std::ranges::any_of(conditions.domains, [](const auto& d) { return d.piece_count() == 0; });
    if (is_empty) return Split{{}, Predicate::False()};
    Expansion expansion = Expand(conditions.domains);

    Split both{std::move(expansion.ranges), {}};
    std::vector<Predicate> rest;
    for (size_t i = 0; i < conjuncts.size(); ++i) {
      const std::optional<size_t> part = conditions.exact_part[i];
      if (part && expansion.is_applied[*part]) continue;
      if (conjuncts[i].kind() == Kind::kOr && PartOf(conjuncts[i]) < 0) {
        ARROW_ASSIGN_OR_RAISE(const Split branch, SplitOr(conjuncts[i]));
        both.ranges = Intersect(both.ranges, branch.ranges);
        if (branch.rest.kind() == Kind::kTrue) continue;
      }
      rest.push_back(conjuncts[i]);
    }
    if (both.ranges.empty()) return Split{{}, Predicate::False()};
    both.rest = Predicate::And(std::move(rest));
    return Limited(std::move(both), Predicate::And(conjuncts));
  }

  arrow::Result<Conditions> CollectConditions(const std::vector<Predicate>& conjuncts) const {
    Conditions conditions{std::vector<KeyDomain>(layout_.parts.size(), KeyDomain::All()),
                          std::vector<std::optional<size_t>>(conjuncts.size())};
    for (size_t i = 0; i < conjuncts.size(); ++i) {
      const int part = PartOf(conjuncts[i]);
      if (part < 0) continue;
      const auto index = static_cast<size_t>(part);
      bool exact = true;
      ARROW_ASSIGN_OR_RAISE(const KeyDomain domain, KeyDomain::Of(conjuncts[i], layout_.parts[index], &exact));
      conditions.domains[index] = KeyDomain::Intersect(conditions.domains[index], domain);
      if (exact) conditions.exact_part[i] = index;
    }
    return conditions;
  }

  // Ranges of keys for the domains of the leading parts: each single value leads on to the next part, each range ends.
  Expansion Expand(const std::vector<KeyDomain>& domains) const {
    Expansion made{{}, std::vector<bool>(domains.size(), false)};
    std::vector<std::string> prefixes = {layout_.prefix};
    size_t part = 0;
    for (; part < domains.size() && !domains[part].is_all() && !prefixes.empty(); ++part) {
      const KeyDomain& domain = domains[part];
      if (made.ranges.size() + prefixes.size() * domain.piece_count() > max_ranges_) {
        const KeyRange hull = domain.Hull();
        for (const std::string& prefix : prefixes) made.ranges.push_back(Below(prefix, hull));
        prefixes.clear();
        break;
      }
      // Ranges that ended at an earlier part do not know this one.
      made.is_applied[part] = made.ranges.empty();
      std::vector<std::string> longer;
      for (const std::string& prefix : prefixes) {
        for (const std::string& point : domain.points()) longer.push_back(prefix + point);
        for (const KeyRange& range : domain.ranges()) made.ranges.push_back(Below(prefix, range));
      }
      prefixes = std::move(longer);
    }
    for (const std::string& prefix : prefixes) {
      const bool is_key = layout_.is_whole && part == domains.size();
      made.ranges.push_back(is_key ? KeyRange{prefix, KeySuccessor(prefix)} : PrefixRange(prefix));
    }
    made.ranges = Normalize(std::move(made.ranges));
    return made;
  }

  const KeyLayout layout_;
  const size_t max_ranges_;
};

}  // namespace

arrow::Result<KeySplit> SplitOnKey(const Predicate& predicate, const RowSchema& row_schema, std::string_view key_prefix,
                                   size_t max_ranges) {
  ARROW_RETURN_NOT_OK(CheckPredicate(predicate, row_schema));
  KeyLayout layout{.prefix = std::string(key_prefix),
                   .parts = row_schema.key_codec().parts(),
                   .columns = row_schema.key_columns(),
                   .is_whole = true};
  ARROW_ASSIGN_OR_RAISE(Split split, KeySplitter(std::move(layout), max_ranges).SplitAny(NormalForm(predicate)));
  return KeySplit{std::move(split.ranges), std::move(split.rest)};
}

arrow::Result<KeySplit> SplitOnIndex(const Predicate& predicate, const IndexKeys& keys, size_t max_ranges) {
  KeyLayout layout{
      .prefix = keys.prefix(), .parts = keys.codec().parts(), .columns = keys.columns(), .is_whole = false};
  ARROW_ASSIGN_OR_RAISE(Split split, KeySplitter(std::move(layout), max_ranges).SplitAny(NormalForm(predicate)));
  return KeySplit{std::move(split.ranges), std::move(split.rest)};
}

}  // namespace yarrow
