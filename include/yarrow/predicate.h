// Predicate: the filters of a scan in the one form that every layer below SQL understands.
//
// SQL semantics: three-valued logic; NaN equals itself and is greater than every number; -0.0 equals 0.0; text and
// binary compare by bytes. A row passes when its predicate is true (not false, not NULL).
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "yarrow/value.h"

namespace yarrow {

// An immutable tree; copies share it. Columns are positions in the table's current columns. Values are in the exact
// form of their column's type.
class Predicate {
 public:
  enum class Kind { kTrue, kFalse, kCompare, kIn, kIsNull, kIsNotNull, kStartsWith, kField, kAnd, kOr, kNot };
  enum class Op { kEq, kNe, kLt, kLe, kGt, kGe };

  Predicate();  // kTrue
  static Predicate True();
  static Predicate False();
  static Predicate Compare(int column, Op op,
                           Value value);  // NULL value: never true (kFalse under any number of NOTs is handled)
  static Predicate In(int column, std::vector<Value> values);   // SQL IN: a NULL in the list makes a miss NULL
  static Predicate Between(int column, Value low, Value high);  // both ends included
  static Predicate IsNull(int column);
  static Predicate IsNotNull(int column);
  static Predicate StartsWith(int column, std::string prefix);  // LIKE 'prefix%'
  // `of_field`, whose only column, 0, is field number `field` of `column`, a STRUCT. A field of a NULL is NULL.
  static Predicate Field(int column, int field, Predicate of_field);
  static Predicate And(std::vector<Predicate> children);
  static Predicate Or(std::vector<Predicate> children);
  static Predicate Not(Predicate child);

  Kind kind() const;
  int column() const;
  int field() const;
  Op op() const;
  const std::vector<Value>& values() const;        // one for kCompare and kStartsWith
  const std::vector<Predicate>& children() const;  // one for kField and kNot

  std::string ToString(const std::vector<std::string>& column_names) const;

 private:
  struct Node;
  explicit Predicate(std::shared_ptr<const Node> node);
  std::shared_ptr<const Node> node_;
};

}  // namespace yarrow
