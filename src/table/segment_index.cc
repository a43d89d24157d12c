#include "table/segment_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "table/cold_segment.h"

namespace yarrow {
namespace {

// Several segments may begin with the same key.
bool IsBefore(const ColdSegment& a, const ColdSegment& b) {
  const int order = a.info().first_key().compare(b.info().first_key());
  return order != 0 ? order < 0 : a.key().segment_id < b.key().segment_id;
}

void Add(const SegmentIndex::Totals& more, SegmentIndex::Totals* totals) {
  totals->segments += more.segments;
  totals->row_groups += more.row_groups;
  totals->rows += more.rows;
  totals->bytes += more.bytes;
}

SegmentIndex::Totals TotalsOf(const ColdSegment& segment) {
  const cold::SegmentInfo& info = segment.info();
  return {.segments = 1, .row_groups = info.row_groups.size(), .rows = info.rows, .bytes = info.bytes};
}

}  // namespace

SegmentIndex::Node::Node(std::shared_ptr<const ColdSegment> of, NodePtr below, NodePtr above)
    : segment(std::move(of)),
      left(std::move(below)),
      right(std::move(above)),
      first_key(&segment->info().first_key()),
      last_key(&segment->info().last_key),
      highest(last_key),
      height(1 + std::max(Height(left), Height(right))),
      totals(TotalsOf(*segment)) {
  for (const NodePtr& child : {left, right}) {
    if (!child) continue;
    if (*child->highest > *highest) highest = child->highest;
    Add(child->totals, &totals);
  }
}

// A tree of the two and the segment between them, whose heights differ by two at most.
SegmentIndex::NodePtr SegmentIndex::Balance(std::shared_ptr<const ColdSegment> segment, NodePtr left, NodePtr right) {
  const auto make = [](const std::shared_ptr<const ColdSegment>& of, const NodePtr& below, const NodePtr& above) {
    return std::make_shared<const Node>(of, below, above);
  };
  if (Height(left) > Height(right) + 1) {
    if (Height(left->left) >= Height(left->right)) {
      return make(left->segment, left->left, make(segment, left->right, right));
    }
    const Node& middle = *left->right;
    return make(middle.segment, make(left->segment, left->left, middle.left), make(segment, middle.right, right));
  }
  if (Height(right) > Height(left) + 1) {
    if (Height(right->right) >= Height(right->left)) {
      return make(right->segment, make(segment, left, right->left), right->right);
    }
    const Node& middle = *right->left;
    return make(middle.segment, make(segment, left, middle.left), make(right->segment, middle.right, right->right));
  }
  return make(segment, left, right);
}

SegmentIndex::NodePtr SegmentIndex::Insert(const NodePtr& node, std::shared_ptr<const ColdSegment> segment) {
  if (!node) return std::make_shared<const Node>(std::move(segment), nullptr, nullptr);
  if (IsBefore(*segment, *node->segment)) {
    return Balance(node->segment, Insert(node->left, std::move(segment)), node->right);
  }
  return Balance(node->segment, node->left, Insert(node->right, std::move(segment)));
}

SegmentIndex::NodePtr SegmentIndex::RemoveFirst(const NodePtr& node, std::shared_ptr<const ColdSegment>* first) {
  if (!node->left) {
    *first = node->segment;
    return node->right;
  }
  return Balance(node->segment, RemoveFirst(node->left, first), node->right);
}

SegmentIndex::NodePtr SegmentIndex::Remove(const NodePtr& node, const ColdSegment& segment) {
  if (!node) return nullptr;
  if (IsBefore(segment, *node->segment)) return Balance(node->segment, Remove(node->left, segment), node->right);
  if (IsBefore(*node->segment, segment)) return Balance(node->segment, node->left, Remove(node->right, segment));
  if (!node->left) return node->right;
  if (!node->right) return node->left;
  std::shared_ptr<const ColdSegment> next;
  NodePtr right = RemoveFirst(node->right, &next);
  return Balance(std::move(next), node->left, std::move(right));
}

SegmentIndex SegmentIndex::With(std::shared_ptr<const ColdSegment> segment) const {
  return SegmentIndex(Insert(root_, std::move(segment)));
}

SegmentIndex SegmentIndex::Without(const ColdSegment& segment) const {
  return SegmentIndex(Remove(root_, segment));
}

void SegmentIndex::AddFrom(const Node* node, std::string_view lower, Totals* totals) {
  while (node != nullptr) {
    if (*node->first_key < lower) {
      node = node->right.get();
      continue;
    }
    Add(TotalsOf(*node->segment), totals);
    if (node->right) Add(node->right->totals, totals);
    node = node->left.get();
  }
}

void SegmentIndex::AddBelow(const Node* node, std::string_view upper, Totals* totals) {
  while (node != nullptr) {
    if (*node->first_key >= upper) {
      node = node->left.get();
      continue;
    }
    Add(TotalsOf(*node->segment), totals);
    if (node->left) Add(node->left->totals, totals);
    node = node->right.get();
  }
}

SegmentIndex::Totals SegmentIndex::TotalsIn(std::string_view lower, std::string_view upper) const {
  Totals totals;
  const Node* node = root_.get();
  if (upper.empty()) {
    AddFrom(node, lower, &totals);
    return totals;
  }
  // The two ways part at the first node within.
  while (node != nullptr && (*node->first_key < lower || *node->first_key >= upper)) {
    node = *node->first_key < lower ? node->right.get() : node->left.get();
  }
  if (node == nullptr) return totals;
  Add(TotalsOf(*node->segment), &totals);
  AddFrom(node->left.get(), lower, &totals);
  AddBelow(node->right.get(), upper, &totals);
  return totals;
}

}  // namespace yarrow
