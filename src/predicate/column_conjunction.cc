#include "predicate/column_conjunction.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "predicate/normal_form.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

bool Less(const Value& a, const Value& b) {
  return CompareValues(a, b) < 0;
}

bool StartsWith(const Value& value, const std::string& prefix) {
  return value.get<std::string>().starts_with(prefix);
}

}  // namespace

std::vector<Value> SortedUnique(std::vector<Value> values) {
  std::sort(values.begin(), values.end(), Less);
  const auto equal = [](const Value& a, const Value& b) { return CompareValues(a, b) == 0; };
  values.erase(std::unique(values.begin(), values.end(), equal), values.end());
  return values;
}

void ColumnConjunction::Add(const Predicate& leaf) {
  const auto [test, negated] = AsLeaf(leaf);
  switch (test.kind()) {
    case Kind::kCompare:
      return AddCompare(test.op(), test.values().front());
    case Kind::kIn:
      if (!negated) return KeepOnly(test.values());
      not_in_.insert(not_in_.end(), test.values().begin(), test.values().end());
      return;
    case Kind::kStartsWith:
      (negated ? not_prefixes_ : prefixes_).push_back(test.values().front().get<std::string>());
      return;
    case Kind::kIsNull:
      is_null_ = true;
      return;
    default:
      is_not_null_ = true;
  }
}

void ColumnConjunction::AddCompare(Op op, const Value& value) {
  switch (op) {
    case Op::kEq:
      return KeepOnly({value});
    case Op::kNe:
      not_in_.push_back(value);
      return;
    case Op::kLt:
    case Op::kLe:
      return LowerHigh(value, op == Op::kLt);
    case Op::kGt:
    case Op::kGe:
      return RaiseLow(value, op == Op::kGt);
  }
}

void ColumnConjunction::RaiseLow(const Value& value, bool strict) {
  const auto order = low_ ? CompareValues(value, low_->value) : std::weak_ordering::greater;
  if (order > 0 || (order == 0 && strict)) low_ = Bound{value, strict};
}

void ColumnConjunction::LowerHigh(const Value& value, bool strict) {
  const auto order = high_ ? CompareValues(value, high_->value) : std::weak_ordering::less;
  if (order < 0 || (order == 0 && strict)) high_ = Bound{value, strict};
}

void ColumnConjunction::KeepOnly(std::vector<Value> sorted_values) {
  if (!in_) {
    in_ = std::move(sorted_values);
    return;
  }
  std::vector<Value> both;
  std::set_intersection(in_->begin(), in_->end(), sorted_values.begin(), sorted_values.end(), std::back_inserter(both),
                        Less);
  in_ = std::move(both);
}

// Of prefixes that all hold, the longest one implies the others; if it does not, none fits.
bool ColumnConjunction::MergePrefixes() {
  if (prefixes_.empty()) return true;
  const std::string longest = *std::max_element(prefixes_.begin(), prefixes_.end(),
                                                [](const auto& a, const auto& b) { return a.size() < b.size(); });
  const bool fits = std::all_of(prefixes_.begin(), prefixes_.end(),
                                [&](const std::string& prefix) { return longest.starts_with(prefix); });
  prefixes_ = {longest};
  return fits;
}

bool ColumnConjunction::InBounds(const Value& value) const {
  if (low_) {
    const auto order = CompareValues(value, low_->value);
    if (order < 0 || (order == 0 && low_->strict)) return false;
  }
  if (high_) {
    const auto order = CompareValues(value, high_->value);
    if (order > 0 || (order == 0 && high_->strict)) return false;
  }
  return true;
}

// REQUIRES: not_in_ is sorted.
bool ColumnConjunction::Allows(const Value& value) const {
  const auto starts = [&](const std::string& prefix) { return StartsWith(value, prefix); };
  return InBounds(value) && !std::binary_search(not_in_.begin(), not_in_.end(), value, Less) &&
         std::all_of(prefixes_.begin(), prefixes_.end(), starts) &&
         std::none_of(not_prefixes_.begin(), not_prefixes_.end(), starts);
}

bool ColumnConjunction::Finish(std::vector<Predicate>* leaves) {
  const bool wants_value =
      is_not_null_ || low_ || high_ || in_ || !not_in_.empty() || !prefixes_.empty() || !not_prefixes_.empty();
  if (is_null_) {
    leaves->push_back(Predicate::IsNull(column_));
    return !wants_value;
  }
  if (low_ && high_) {
    const auto order = CompareValues(low_->value, high_->value);
    if (order > 0) return false;
    if (order == 0) KeepOnly({low_->value});
  }
  if (!MergePrefixes()) return false;
  not_in_ = SortedUnique(std::move(not_in_));
  if (in_) {
    std::erase_if(*in_, [&](const Value& value) { return !Allows(value); });
    leaves->push_back(Predicate::In(column_, *in_));
    return !in_->empty();
  }
  AppendOpen(leaves);
  return true;
}

// The leaves of a conjunction that does not list its values.
void ColumnConjunction::AppendOpen(std::vector<Predicate>* leaves) {
  const size_t before = leaves->size();
  if (low_) leaves->push_back(Predicate::Compare(column_, low_->strict ? Op::kGt : Op::kGe, low_->value));
  if (high_) leaves->push_back(Predicate::Compare(column_, high_->strict ? Op::kLt : Op::kLe, high_->value));
  for (std::string& prefix : prefixes_) leaves->push_back(Predicate::StartsWith(column_, std::move(prefix)));
  for (std::string& prefix : not_prefixes_) {
    leaves->push_back(Predicate::Not(Predicate::StartsWith(column_, std::move(prefix))));
  }
  std::erase_if(not_in_, [&](const Value& value) { return !InBounds(value); });
  if (not_in_.size() == 1) {
    leaves->push_back(Predicate::Compare(column_, Op::kNe, not_in_.front()));
  } else if (!not_in_.empty()) {
    leaves->push_back(Predicate::Not(Predicate::In(column_, std::move(not_in_))));
  }
  // Every other leaf is false for NULL already.
  if (leaves->size() == before) leaves->push_back(Predicate::IsNotNull(column_));
}

}  // namespace yarrow
