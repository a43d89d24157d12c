#include "predicate/normal_form.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "predicate/column_conjunction.h"
#include "predicate/literal_value.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

using Kind = Predicate::Kind;
using Op = Predicate::Op;

// What a leaf compares: a column, or a field of one.
struct Compared {
  std::string_view name;
  const ColumnType& type;
};

arrow::Status CheckLeaf(const Predicate& leaf, const Compared& compared, const RowSchema& row_schema) {
  if (!leaf.values().empty() && !HasOrder(compared.type)) {
    return arrow::Status::NotImplemented("column ", compared.name, ": values of type ", compared.type.ToString(),
                                         " are not compared here; ask in SQL");
  }
  if (leaf.kind() == Kind::kStartsWith && KindOf(compared.type) != TypeKind::kText &&
      KindOf(compared.type) != TypeKind::kBinary) {
    return arrow::Status::Invalid("a filter on table ", row_schema.table_name(), " tests a prefix of column ",
                                  compared.name, ", which is ", compared.type.ToString(),
                                  " and neither text nor binary");
  }
  // A prefix may end inside a UTF-8 sequence.
  if (leaf.kind() == Kind::kStartsWith) return arrow::Status::OK();
  for (const Value& value : leaf.values()) {
    const arrow::Result<Value> cast = value.CastTo(compared.type);
    if (!cast.ok() || cast->variant().index() != value.variant().index()) {
      return arrow::Status::Invalid("a filter compares column ", compared.name, " of table ", row_schema.table_name(),
                                    ", which is ", compared.type.ToString(), ", with ", value.ToString(),
                                    ", which is not in the form of that type: cast it first");
    }
    const auto* decimal = std::get_if<Decimal>(&value.variant());
    if (decimal != nullptr && decimal->scale != compared.type.scale) {
      return arrow::Status::Invalid("a filter compares column ", compared.name, " of table ", row_schema.table_name(),
                                    ", which is ", compared.type.ToString(), ", with a decimal of scale ",
                                    decimal->scale, ": cast it first");
    }
  }
  return arrow::Status::OK();
}

// `field`: the only one that the predicate's numbers are of; null: they are of the table's columns.
arrow::Status Check(const Predicate& predicate, const Compared* field, const RowSchema& row_schema) {
  switch (predicate.kind()) {
    case Kind::kTrue:
    case Kind::kFalse:
      return arrow::Status::OK();
    case Kind::kAnd:
    case Kind::kOr:
    case Kind::kNot:
      for (const Predicate& child : predicate.children()) ARROW_RETURN_NOT_OK(Check(child, field, row_schema));
      return arrow::Status::OK();
    default:
      break;
  }
  const auto& columns = row_schema.columns();
  const size_t known = field != nullptr ? 1 : columns.size();
  if (predicate.column() < 0 || static_cast<size_t>(predicate.column()) >= known) {
    return arrow::Status::Invalid("a filter on table ", row_schema.table_name(), " names column number ",
                                  predicate.column(), ", but the table has ", columns.size(), " columns");
  }
  const auto number = static_cast<size_t>(predicate.column());
  const Compared column = field != nullptr ? *field : Compared{columns[number].name, columns[number].type};
  if (predicate.kind() != Kind::kField) return CheckLeaf(predicate, column, row_schema);
  const auto place = static_cast<size_t>(predicate.field());
  if (column.type.id != TypeId::kStruct || predicate.field() < 0 || place >= column.type.members().size()) {
    return arrow::Status::Invalid("a filter on table ", row_schema.table_name(), " names field number ",
                                  predicate.field(), " of column ", column.name, ", which is ", column.type.ToString());
  }
  const TypeMember& member = column.type.members()[place];
  const std::string name = std::string(column.name) + "." + member.name;
  const Compared of_field{name, member.type};
  return Check(predicate.children().front(), &of_field, row_schema);
}

Op Negate(Op op) {
  switch (op) {
    case Op::kEq:
      return Op::kNe;
    case Op::kNe:
      return Op::kEq;
    case Op::kLt:
      return Op::kGe;
    case Op::kLe:
      return Op::kGt;
    case Op::kGt:
      return Op::kLe;
    case Op::kGe:
      return Op::kLt;
  }
  return op;
}

Predicate NormalCompare(const Predicate& compare, bool negated) {
  const Value& value = compare.values().front();
  if (value.is_null()) return Predicate::False();
  const Op op = negated ? Negate(compare.op()) : compare.op();
  // NaN is the greatest value and equal to itself.
  if (IsNan(value) && op == Op::kLe) return Predicate::IsNotNull(compare.column());
  if (IsNan(value) && op == Op::kGt) return Predicate::False();
  return Predicate::Compare(compare.column(), op, value);
}

Predicate NormalIn(const Predicate& in, bool negated) {
  std::vector<Value> values = in.values();
  const bool has_null = std::erase_if(values, [](const Value& value) { return value.is_null(); }) > 0;
  // x NOT IN (.., NULL) is false or unknown, never true.
  if (negated && has_null) return Predicate::False();
  values = SortedUnique(std::move(values));
  if (negated && values.size() == 1) return Predicate::Compare(in.column(), Op::kNe, std::move(values.front()));
  Predicate list = Predicate::In(in.column(), std::move(values));
  return negated ? Predicate::Not(std::move(list)) : list;
}

Predicate NormalStartsWith(const Predicate& test, bool negated) {
  if (!test.values().front().get<std::string>().empty()) return negated ? Predicate::Not(test) : test;
  return negated ? Predicate::False() : Predicate::IsNotNull(test.column());
}

bool IsBranch(const Predicate& predicate) {
  return predicate.kind() == Kind::kAnd || predicate.kind() == Kind::kOr;
}

// REQUIRES: in normal form.
Predicate NormalAnd(std::vector<Predicate> children) {
  const Predicate flat = Predicate::And(std::move(children));
  if (flat.kind() != Kind::kAnd) return flat;
  std::vector<ColumnConjunction> columns;
  std::vector<Predicate> branches;
  for (const Predicate& child : flat.children()) {
    if (IsBranch(child) || child.kind() == Kind::kField) {
      branches.push_back(child);
      continue;
    }
    const int column = AsLeaf(child).test.column();
    auto place =
        std::find_if(columns.begin(), columns.end(), [&](const auto& known) { return known.column() == column; });
    if (place == columns.end()) place = columns.insert(place, ColumnConjunction(column));
    place->Add(child);
  }
  // Leaves first: they are cheaper than branches.
  std::vector<Predicate> merged;
  for (ColumnConjunction& column : columns) {
    if (!column.Finish(&merged)) return Predicate::False();
  }
  std::move(branches.begin(), branches.end(), std::back_inserter(merged));
  return Predicate::And(std::move(merged));
}

bool IsEquality(const Predicate& predicate) {
  return predicate.kind() == Kind::kIn || (predicate.kind() == Kind::kCompare && predicate.op() == Op::kEq);
}

// REQUIRES: in normal form.
Predicate NormalOr(std::vector<Predicate> children) {
  const Predicate flat = Predicate::Or(std::move(children));
  if (flat.kind() != Kind::kOr) return flat;
  std::vector<std::pair<int, std::vector<Value>>> lists;
  std::vector<Predicate> others;
  for (const Predicate& child : flat.children()) {
    if (!IsEquality(child)) {
      others.push_back(child);
      continue;
    }
    auto list =
        std::find_if(lists.begin(), lists.end(), [&](const auto& known) { return known.first == child.column(); });
    if (list == lists.end()) list = lists.insert(list, {child.column(), {}});
    list->second.insert(list->second.end(), child.values().begin(), child.values().end());
  }
  std::vector<Predicate> merged;
  for (auto& [column, values] : lists) merged.push_back(Predicate::In(column, SortedUnique(std::move(values))));
  std::move(others.begin(), others.end(), std::back_inserter(merged));
  return Predicate::Or(std::move(merged));
}

// A normal form over the field as one over the column: AND and OR stand above the fields.
Predicate OverColumn(const Predicate& of_field, int column, int field) {
  if (!IsBranch(of_field)) return Predicate::Field(column, field, of_field);
  std::vector<Predicate> children;
  for (const Predicate& child : of_field.children()) children.push_back(OverColumn(child, column, field));
  return of_field.kind() == Kind::kAnd ? Predicate::And(std::move(children)) : Predicate::Or(std::move(children));
}

Predicate Normal(const Predicate& predicate, bool negated) {
  switch (predicate.kind()) {
    case Kind::kTrue:
    case Kind::kFalse:
      return (predicate.kind() == Kind::kTrue) != negated ? Predicate::True() : Predicate::False();
    case Kind::kCompare:
      return NormalCompare(predicate, negated);
    case Kind::kIn:
      return NormalIn(predicate, negated);
    case Kind::kIsNull:
    case Kind::kIsNotNull:
      return (predicate.kind() == Kind::kIsNull) != negated ? Predicate::IsNull(predicate.column())
                                                            : Predicate::IsNotNull(predicate.column());
    case Kind::kStartsWith:
      return NormalStartsWith(predicate, negated);
    case Kind::kField:
      return OverColumn(Normal(predicate.children().front(), negated), predicate.column(), predicate.field());
    case Kind::kNot:
      return Normal(predicate.children().front(), !negated);
    case Kind::kAnd:
    case Kind::kOr:
      break;
  }
  std::vector<Predicate> children;
  children.reserve(predicate.children().size());
  for (const Predicate& child : predicate.children()) children.push_back(Normal(child, negated));
  return (predicate.kind() == Kind::kAnd) != negated ? NormalAnd(std::move(children)) : NormalOr(std::move(children));
}

bool CompareHolds(Op op, std::weak_ordering order) {
  switch (op) {
    case Op::kEq:
      return order == 0;
    case Op::kNe:
      return order != 0;
    case Op::kLt:
      return order < 0;
    case Op::kLe:
      return order <= 0;
    case Op::kGt:
      return order > 0;
    case Op::kGe:
      return order >= 0;
  }
  return false;
}

}  // namespace

arrow::Status CheckPredicate(const Predicate& predicate, const RowSchema& row_schema) {
  return Check(predicate, nullptr, row_schema);
}

Predicate NormalForm(const Predicate& predicate) {
  return Normal(predicate, /*negated=*/false);
}

Leaf AsLeaf(const Predicate& predicate) {
  const bool negated = predicate.kind() == Kind::kNot;
  return {negated ? predicate.children().front() : predicate, negated};
}

bool LeafHolds(const Predicate& leaf, const Value& value) {
  const auto [test, negated] = AsLeaf(leaf);
  if (test.kind() == Kind::kIsNull) return value.is_null();
  if (value.is_null()) return false;
  switch (test.kind()) {
    case Kind::kCompare:
      return CompareHolds(test.op(), CompareValues(value, test.values().front()));
    case Kind::kIn:
      return negated != std::binary_search(test.values().begin(), test.values().end(), value,
                                           [](const Value& a, const Value& b) { return CompareValues(a, b) < 0; });
    case Kind::kStartsWith:
      return negated != value.get<std::string>().starts_with(test.values().front().get<std::string>());
    default:
      return true;
  }
}

}  // namespace yarrow
