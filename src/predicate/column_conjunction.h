// The conditions that one AND puts on one column, merged. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "yarrow/predicate.h"

namespace yarrow {

class ColumnConjunction {
 public:
  explicit ColumnConjunction(int column) : column_(column) {}
  int column() const { return column_; }

  // REQUIRES: a leaf in normal form on this column.
  void Add(const Predicate& leaf);
  // Appends the leaves that say the same together; false when nothing satisfies them all.
  bool Finish(std::vector<Predicate>* leaves);

 private:
  struct Bound {
    Value value;
    bool strict;
  };
  void AddCompare(Predicate::Op op, const Value& value);
  void RaiseLow(const Value& value, bool strict);
  void LowerHigh(const Value& value, bool strict);
  void KeepOnly(std::vector<Value> sorted_values);
  bool MergePrefixes();
  bool InBounds(const Value& value) const;
  bool Allows(const Value& value) const;
  void AppendOpen(std::vector<Predicate>* leaves);

  int column_;
  bool is_null_ = false;
  bool is_not_null_ = false;
  std::optional<Bound> low_;
  std::optional<Bound> high_;
  std::optional<std::vector<Value>> in_;  // sorted
  std::vector<Value> not_in_;
  std::vector<std::string> prefixes_;  // one after MergePrefixes
  std::vector<std::string> not_prefixes_;
};

// Sorted by SQL order, equal ones once.
std::vector<Value> SortedUnique(std::vector<Value> values);

}  // namespace yarrow
