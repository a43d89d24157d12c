// SegmentIndex: the segments of a table by their keys, as they are from one commit on.
//
// An interval tree: a balanced (AVL) binary tree by first keys, each node of which knows the highest last key below it
// (Cormen et al., Introduction to Algorithms, "Interval trees"). It is never changed: one with a segment more or less
// shares all nodes but those on the way to that segment with the tree that it was made from (Driscoll et al., "Making
// data structures persistent"). So a version costs the logarithm of the segments, whoever holds older ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cold/manifest_entry.h"

namespace yarrow {

class ColdSegment;

// Immutable, thread-safe; copies share everything.
class SegmentIndex {
 public:
  struct Totals {
    uint64_t segments = 0;
    uint64_t row_groups = 0;
    uint64_t rows = 0;
    uint64_t bytes = 0;  // of the files
  };

  SegmentIndex() = default;

  // REQUIRES: it is not there.
  SegmentIndex With(std::shared_ptr<const ColdSegment> segment) const;
  // REQUIRES: it is there.
  SegmentIndex Without(const ColdSegment& segment) const;

  bool empty() const { return root_ == nullptr; }
  // Of those whose first key is in [lower, upper); an empty upper is open. For the keys of one reader: of all of them.
  Totals TotalsIn(std::string_view lower, std::string_view upper) const;

  // visit(const std::shared_ptr<const ColdSegment>&) for those that may have a key in [lower, upper), by their first
  // keys, until one says false. Costs a logarithm and what it visits.
  template <class Visit>
  void VisitIn(std::string_view lower, std::string_view upper, const Visit& visit) const {
    if (root_) root_->VisitIn(lower, upper, visit);
  }
  // The same for those that may have this key.
  template <class Visit>
  void VisitAt(std::string_view key, const Visit& visit) const {
    if (root_) root_->VisitAt(key, visit);
  }
  bool Spans(std::string_view key) const {
    bool spans = false;
    VisitAt(key, [&](const auto&) { return !(spans = true); });
    return spans;
  }

 private:
  struct Node;
  using NodePtr = std::shared_ptr<const Node>;

  struct Node {
    Node(std::shared_ptr<const ColdSegment> of, NodePtr below, NodePtr above);

    template <class Visit>
    bool VisitIn(std::string_view lower, std::string_view upper, const Visit& visit) const;
    template <class Visit>
    bool VisitAt(std::string_view key, const Visit& visit) const;

    const std::shared_ptr<const ColdSegment> segment;
    const NodePtr left;
    const NodePtr right;
    const std::string* first_key;  // the segment's
    const std::string* last_key;
    const std::string* highest;  // last key of this segment and those below
    int height = 1;
    Totals totals;  // of this segment and those below
  };

  explicit SegmentIndex(NodePtr root) : root_(std::move(root)) {}
  static NodePtr Balance(std::shared_ptr<const ColdSegment> segment, NodePtr left, NodePtr right);
  static NodePtr Insert(const NodePtr& node, std::shared_ptr<const ColdSegment> segment);
  static NodePtr Remove(const NodePtr& node, const ColdSegment& segment);
  static NodePtr RemoveFirst(const NodePtr& node, std::shared_ptr<const ColdSegment>* first);
  static void AddFrom(const Node* node, std::string_view lower, Totals* totals);
  static void AddBelow(const Node* node, std::string_view upper, Totals* totals);
  static int Height(const NodePtr& node) { return node ? node->height : 0; }

  NodePtr root_;
};

template <class Visit>
bool SegmentIndex::Node::VisitIn(std::string_view lower, std::string_view upper, const Visit& visit) const {
  if (*highest < lower) return true;
  if (left && !left->VisitIn(lower, upper, visit)) return false;
  if (!upper.empty() && *first_key >= upper) return true;
  if (*last_key >= lower && !visit(segment)) return false;
  return !right || right->VisitIn(lower, upper, visit);
}

template <class Visit>
bool SegmentIndex::Node::VisitAt(std::string_view key, const Visit& visit) const {
  if (*highest < key) return true;
  if (left && !left->VisitAt(key, visit)) return false;
  if (*first_key > key) return true;
  if (*last_key >= key && !visit(segment)) return false;
  return !right || right->VisitAt(key, visit);
}

}  // namespace yarrow
