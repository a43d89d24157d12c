// SegmentIndex: the segments of a table by their keys, as they are from one commit on.
//
// An interval tree by first keys, each node of which knows the highest last key below it (Cormen et al., Introduction
// to Algorithms, "Interval trees"). Versions share what they have in common (PersistentTree).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "store/persistent_tree.h"
#include "tier/cold_segment.h"

namespace yarrow {

// Immutable, thread-safe; copies share everything.
class SegmentIndex {
 public:
  struct Totals {
    uint64_t segments = 0;
    uint64_t row_groups = 0;
    uint64_t rows = 0;
  };

  // REQUIRES: it is not there.
  SegmentIndex With(std::shared_ptr<const ColdSegment> segment) const { return SegmentIndex(tree_.With(segment)); }
  // The same when it is not there.
  SegmentIndex Without(const std::shared_ptr<const ColdSegment>& segment) const {
    return SegmentIndex(tree_.Without(segment));
  }

  bool Contains(const std::shared_ptr<const ColdSegment>& segment) const { return tree_.Find(segment) != nullptr; }
  bool empty() const { return tree_.empty(); }
  // Of those whose first key is in [lower, upper); an empty upper is open. For the keys of one part of a table: of all
  // of them.
  Totals TotalsIn(std::string_view lower, std::string_view upper) const;

  // visit(const std::shared_ptr<const ColdSegment>&) for those that may have a key in [lower, upper), by their first
  // keys, until one says false. Costs a logarithm and what it visits.
  template <class Visit>
  void VisitIn(std::string_view lower, std::string_view upper, const Visit& visit) const {
    VisitInOf(tree_.root(), lower, upper, visit);
  }
  // The same for those that may have this key.
  template <class Visit>
  void VisitAt(std::string_view key, const Visit& visit) const {
    VisitAtOf(tree_.root(), key, visit);
  }
  bool Spans(std::string_view key) const {
    bool spans = false;
    VisitAt(key, [&](const auto&) { return !(spans = true); });
    return spans;
  }

  SegmentIndex() = default;

 private:
  using Segment = std::shared_ptr<const ColdSegment>;
  struct Traits {
    struct Summary {
      const std::string* highest;  // last key
      Totals totals;
    };
    // Several segments may begin with the same key.
    static int Compare(const Segment& a, const Segment& b);
    static Summary Summarize(const Segment& segment, const Summary* left, const Summary* right);
  };
  using Tree = PersistentTree<Segment, Traits>;

  explicit SegmentIndex(Tree tree) : tree_(std::move(tree)) {}

  template <class Visit>
  static bool VisitInOf(const Tree::Node* node, std::string_view lower, std::string_view upper, const Visit& visit) {
    if (node == nullptr || *node->summary.highest < lower) return true;
    if (!VisitInOf(node->left.get(), lower, upper, visit)) return false;
    const cold::SegmentInfo& info = node->value->info();
    if (!upper.empty() && info.first_key() >= upper) return true;
    if (info.last_key >= lower && !visit(node->value)) return false;
    return VisitInOf(node->right.get(), lower, upper, visit);
  }
  template <class Visit>
  static bool VisitAtOf(const Tree::Node* node, std::string_view key, const Visit& visit) {
    if (node == nullptr || *node->summary.highest < key) return true;
    if (!VisitAtOf(node->left.get(), key, visit)) return false;
    const cold::SegmentInfo& info = node->value->info();
    if (info.first_key() > key) return true;
    if (info.last_key >= key && !visit(node->value)) return false;
    return VisitAtOf(node->right.get(), key, visit);
  }
  static void AddFrom(const Tree::Node* node, std::string_view lower, Totals* totals);
  static void AddBelow(const Tree::Node* node, std::string_view upper, Totals* totals);

  Tree tree_;
};

}  // namespace yarrow
