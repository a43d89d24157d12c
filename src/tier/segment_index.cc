#include "tier/segment_index.h"

namespace yarrow {
namespace {

void Add(const SegmentIndex::Totals& more, SegmentIndex::Totals* totals) {
  totals->segments += more.segments;
  totals->row_groups += more.row_groups;
  totals->rows += more.rows;
}

SegmentIndex::Totals TotalsOf(const ColdSegment& segment) {
  const cold::SegmentInfo& info = segment.info();
  return {.segments = 1, .row_groups = info.row_groups.size(), .rows = info.rows};
}

const std::string& FirstKey(const std::shared_ptr<const ColdSegment>& segment) {
  return segment->info().first_key();
}

}  // namespace

int SegmentIndex::Traits::Compare(const Segment& a, const Segment& b) {
  const int order = FirstKey(a).compare(FirstKey(b));
  if (order != 0) return order;
  const cold::SegmentId left = a->key().segment_id, right = b->key().segment_id;
  return left < right ? -1 : left > right;
}

SegmentIndex::Traits::Summary SegmentIndex::Traits::Summarize(const Segment& segment, const Summary* left,
                                                              const Summary* right) {
  Summary summary{&segment->info().last_key, TotalsOf(*segment)};
  for (const Summary* const child : {left, right}) {
    if (child == nullptr) continue;
    if (*child->highest > *summary.highest) summary.highest = child->highest;
    Add(child->totals, &summary.totals);
  }
  return summary;
}

void SegmentIndex::AddFrom(const Tree::Node* node, std::string_view lower, Totals* totals) {
  while (node != nullptr) {
    if (FirstKey(node->value) < lower) {
      node = node->right.get();
      continue;
    }
    Add(TotalsOf(*node->value), totals);
    if (node->right) Add(node->right->summary.totals, totals);
    node = node->left.get();
  }
}

void SegmentIndex::AddBelow(const Tree::Node* node, std::string_view upper, Totals* totals) {
  while (node != nullptr) {
    if (FirstKey(node->value) >= upper) {
      node = node->left.get();
      continue;
    }
    Add(TotalsOf(*node->value), totals);
    if (node->left) Add(node->left->summary.totals, totals);
    node = node->right.get();
  }
}

SegmentIndex::Totals SegmentIndex::TotalsIn(std::string_view lower, std::string_view upper) const {
  Totals totals;
  const Tree::Node* node = tree_.root();
  if (upper.empty()) {
    AddFrom(node, lower, &totals);
    return totals;
  }
  // The two ways part at the first node within.
  while (node != nullptr && (FirstKey(node->value) < lower || FirstKey(node->value) >= upper)) {
    node = FirstKey(node->value) < lower ? node->right.get() : node->left.get();
  }
  if (node == nullptr) return totals;
  Add(TotalsOf(*node->value), &totals);
  AddFrom(node->left.get(), lower, &totals);
  AddBelow(node->right.get(), upper, &totals);
  return totals;
}

}  // namespace yarrow
