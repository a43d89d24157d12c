#include "cli/where_comparison.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/scalar.h>

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "cli/where_lexer.h"

namespace yarrow::cli {
namespace {

namespace cp = arrow::compute;
using Place = PlacedLiteral::Place;

bool IsFloat(const ColumnType& type) {
  return type.id == TypeId::kFloat || type.id == TypeId::kDouble;
}

const char* FunctionOf(WhereOp op) {
  switch (op) {
    case WhereOp::kEq:
      return "equal";
    case WhereOp::kNe:
      return "not_equal";
    case WhereOp::kLt:
      return "less";
    case WhereOp::kLe:
      return "less_equal";
    case WhereOp::kGt:
      return "greater";
    case WhereOp::kGe:
      return "greater_equal";
  }
  return "";
}

cp::Expression Field(const WhereColumn& column) {
  return cp::field_ref(column.name);
}

cp::Expression Compare(cp::Expression left, WhereOp op, cp::Expression right) {
  return cp::call(FunctionOf(op), {std::move(left), std::move(right)});
}

cp::Expression IsNan(cp::Expression operand) {
  return cp::call("is_nan", {std::move(operand)});
}

cp::Expression Not(cp::Expression operand) {
  return cp::call("invert", {std::move(operand)});
}

// The same for every value, but NULL for NULL.
cp::Expression ForEveryValue(const WhereColumn& column, bool truth) {
  if (truth) return cp::or_(cp::is_valid(Field(column)), UnknownTruth());
  return cp::and_(cp::is_null(Field(column)), UnknownTruth());
}

arrow::Result<cp::Expression> LiteralOf(const Value& value, const ColumnType& type) {
  ARROW_ASSIGN_OR_RAISE(auto scalar, value.ToScalar(type));
  return cp::literal(arrow::Datum(std::move(scalar)));
}

cp::Expression CompareWithNan(const WhereColumn& column, WhereOp op) {
  switch (op) {
    case WhereOp::kEq:
    case WhereOp::kGe:
      return IsNan(Field(column));
    case WhereOp::kNe:
    case WhereOp::kLt:
      return Not(IsNan(Field(column)));
    case WhereOp::kLe:
      return ForEveryValue(column, true);
    case WhereOp::kGt:
      break;
  }
  return ForEveryValue(column, false);
}

arrow::Result<cp::Expression> CompareExactly(const WhereColumn& column, WhereOp op, const Value& value) {
  const bool is_above = op == WhereOp::kGt || op == WhereOp::kGe;
  if (IsFloat(column.type) && std::isnan(value.get<double>())) return CompareWithNan(column, op);
  ARROW_ASSIGN_OR_RAISE(auto literal, LiteralOf(value, column.type));
  cp::Expression comparison = Compare(Field(column), op, std::move(literal));
  if (!IsFloat(column.type) || !is_above) return comparison;
  return cp::or_(std::move(comparison), IsNan(Field(column)));
}

// The place is one where no value of the column can be.
arrow::Result<cp::Expression> CompareWithGap(const WhereColumn& column, WhereOp op, const PlacedLiteral& literal) {
  if (op == WhereOp::kEq || op == WhereOp::kNe) return ForEveryValue(column, op == WhereOp::kNe);
  const bool is_below = op == WhereOp::kLt || op == WhereOp::kLe;
  if (literal.place == Place::kJustAbove) {
    return CompareExactly(column, is_below ? WhereOp::kLe : WhereOp::kGt, literal.value);
  }
  return ForEveryValue(column, is_below == (literal.place == Place::kAboveAll));
}

// Types whose values Arrow compares with each other.
int FamilyOf(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUInt8:
    case TypeId::kUInt16:
    case TypeId::kUInt32:
      return 0;
    default:
      return static_cast<int>(type.id);
  }
}

bool AreComparable(const ColumnType& left, const ColumnType& right) {
  if (left.id == TypeId::kUuid || right.id == TypeId::kUuid) return false;
  if (IsFloat(left) && IsFloat(right)) return true;
  // A local time and an instant are different things.
  return FamilyOf(left) == FamilyOf(right) && left.timezone.empty() == right.timezone.empty();
}

// left op right where either may be NaN; only for = and those that say "above".
cp::Expression CompareFloats(const cp::Expression& left, WhereOp op, const cp::Expression& right) {
  cp::Expression comparison = Compare(left, op, right);
  switch (op) {
    case WhereOp::kEq:
      return cp::or_(std::move(comparison), cp::and_(IsNan(left), IsNan(right)));
    case WhereOp::kGe:
      return cp::or_(std::move(comparison), cp::and_(IsNan(left), cp::is_valid(right)));
    default:
      return cp::or_(std::move(comparison), cp::and_(IsNan(left), Not(IsNan(right))));
  }
}

// Of scalars of one type; UUIDs as the bytes they are stored as, since no builder knows them.
arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const arrow::ScalarVector& scalars) {
  const auto stored = [](const std::shared_ptr<arrow::Scalar>& scalar) {
    const bool is_extension = scalar->type->id() == arrow::Type::EXTENSION;
    return is_extension ? static_cast<const arrow::ExtensionScalar&>(*scalar).value : scalar;
  };
  ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(stored(scalars.front())->type));
  for (const auto& scalar : scalars) ARROW_RETURN_NOT_OK(builder->AppendScalar(*stored(scalar)));
  return builder->Finish();
}

cp::Expression Fold(std::vector<cp::Expression> operands, cp::Expression (*join)(cp::Expression, cp::Expression)) {
  while (operands.size() > 1) {
    std::vector<cp::Expression> joined;
    for (size_t i = 0; i + 1 < operands.size(); i += 2) {
      joined.push_back(join(std::move(operands[i]), std::move(operands[i + 1])));
    }
    if (operands.size() % 2 == 1) joined.push_back(std::move(operands.back()));
    operands = std::move(joined);
  }
  return std::move(operands.front());
}

// The pattern's text when it has no wildcard but a % at its end.
struct PrefixPattern {
  std::string text;
  bool is_prefix = false;  // else the whole text
};

std::optional<PrefixPattern> AsPrefix(std::string_view pattern) {
  PrefixPattern prefix;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '_') return std::nullopt;
    if (pattern[i] == '%') {
      if (i + 1 != pattern.size()) return std::nullopt;
      prefix.is_prefix = true;
      break;
    }
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    prefix.text += pattern[i];
  }
  return prefix;
}

}  // namespace

WhereOp Mirrored(WhereOp op) {
  switch (op) {
    case WhereOp::kLt:
      return WhereOp::kGt;
    case WhereOp::kLe:
      return WhereOp::kGe;
    case WhereOp::kGt:
      return WhereOp::kLt;
    case WhereOp::kGe:
      return WhereOp::kLe;
    default:
      return op;
  }
}

cp::Expression UnknownTruth() {
  return cp::literal(arrow::Datum(arrow::MakeNullScalar(arrow::boolean())));
}

cp::Expression AllOf(std::vector<cp::Expression> operands) {
  return Fold(std::move(operands), cp::and_);
}

cp::Expression AnyOf(std::vector<cp::Expression> operands) {
  return Fold(std::move(operands), cp::or_);
}

arrow::Result<cp::Expression> CompareWithLiteral(const WhereColumn& column, WhereOp op, const WhereLiteral& literal) {
  ARROW_ASSIGN_OR_RAISE(const PlacedLiteral placed, PlaceLiteral(literal, column));
  if (placed.place == Place::kNull) return UnknownTruth();
  if (placed.place == Place::kAt) return CompareExactly(column, op, placed.value);
  return CompareWithGap(column, op, placed);
}

arrow::Result<cp::Expression> CompareColumns(const WhereColumn& left, WhereOp op, const WhereColumn& right,
                                             size_t position) {
  if (!AreComparable(left.type, right.type)) {
    return WhereError(position, "columns " + left.name + " (" + left.type.ToString() + ") and " + right.name + " (" +
                                    right.type.ToString() + ") cannot be compared");
  }
  if (!IsFloat(left.type)) return Compare(Field(left), op, Field(right));
  switch (op) {
    case WhereOp::kNe:
      return Not(CompareFloats(Field(left), WhereOp::kEq, Field(right)));
    case WhereOp::kLt:
    case WhereOp::kLe:
      return CompareFloats(Field(right), Mirrored(op), Field(left));
    default:
      return CompareFloats(Field(left), op, Field(right));
  }
}

arrow::Result<cp::Expression> InList(const WhereColumn& column, const std::vector<WhereLiteral>& literals) {
  std::vector<cp::Expression> ways;
  arrow::ScalarVector listed;
  for (const WhereLiteral& literal : literals) {
    ARROW_ASSIGN_OR_RAISE(const PlacedLiteral placed, PlaceLiteral(literal, column));
    if (placed.place == Place::kNull) ways.push_back(UnknownTruth());
    if (placed.place != Place::kAt) continue;  // equal to no value
    if (IsFloat(column.type) && !(std::fabs(placed.value.get<double>()) > 0)) {
      // NaN, or a zero, of which Arrow's lists know two.
      ARROW_ASSIGN_OR_RAISE(auto comparison, CompareExactly(column, WhereOp::kEq, placed.value));
      ways.push_back(std::move(comparison));
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(auto scalar, placed.value.ToScalar(column.type));
    listed.push_back(std::move(scalar));
  }
  if (!listed.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto values, ArrayOf(listed));
    ways.push_back(cp::call("is_in", {Field(column)},
                            cp::SetLookupOptions(std::move(values), cp::SetLookupOptions::INCONCLUSIVE)));
  }
  if (ways.empty()) return ForEveryValue(column, false);
  return AnyOf(std::move(ways));
}

arrow::Result<cp::Expression> Like(const WhereColumn& column, const WhereLiteral& pattern) {
  if (column.type.id != TypeId::kUtf8) {
    return WhereError(pattern.position, "LIKE needs a text column; " + column.name + " is " + column.type.ToString());
  }
  if (const auto prefix = AsPrefix(pattern.text)) {
    if (!prefix->is_prefix) return CompareExactly(column, WhereOp::kEq, Value(prefix->text));
    return cp::call("starts_with", {Field(column)}, cp::MatchSubstringOptions(prefix->text));
  }
  return cp::call("match_like", {Field(column)}, cp::MatchSubstringOptions(pattern.text));
}

}  // namespace yarrow::cli
