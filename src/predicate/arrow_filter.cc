#include "predicate/arrow_filter.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/function.h>
#include <arrow/compute/initialize.h>
#include <arrow/compute/registry.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "predicate/literal_value.h"
#include "type/type_traits.h"

namespace yarrow {
namespace {

namespace cp = arrow::compute;
using arrow::internal::checked_cast;
using Op = Predicate::Op;

// Predicates with the unknown (NULL) truth value where the column is NULL, and a constant one elsewhere. Needed below
// NOT.
Predicate FalseUnlessNull(int column) {
  return Predicate::And({Predicate::IsNull(column), Predicate::Compare(column, Op::kEq, Value::Null())});
}
Predicate TrueUnlessNull(int column) {
  return Predicate::Or({Predicate::IsNotNull(column), Predicate::Compare(column, Op::kEq, Value::Null())});
}

Value Nan() {
  return Value(std::numeric_limits<double>::quiet_NaN());
}

std::optional<Op> OpOf(const std::string& function) {
  if (function == "equal") return Op::kEq;
  if (function == "not_equal") return Op::kNe;
  if (function == "less") return Op::kLt;
  if (function == "less_equal") return Op::kLe;
  if (function == "greater") return Op::kGt;
  if (function == "greater_equal") return Op::kGe;
  return std::nullopt;
}

// a op b is b Mirrored(op) a.
Op Mirrored(Op op) {
  switch (op) {
    case Op::kLt:
      return Op::kGt;
    case Op::kLe:
      return Op::kGe;
    case Op::kGt:
      return Op::kLt;
    case Op::kGe:
      return Op::kLe;
    default:
      return op;
  }
}

// The operands of a chain of calls of one function, however they are nested, in order.
std::vector<cp::Expression> Operands(const cp::Expression& expression, const std::string& function) {
  std::vector<cp::Expression> operands;
  std::vector<cp::Expression> stack = {expression};
  while (!stack.empty()) {
    const cp::Expression top = std::move(stack.back());
    stack.pop_back();
    const auto* call = top.call();
    if (call != nullptr && call->function_name == function) {
      stack.insert(stack.end(), call->arguments.rbegin(), call->arguments.rend());
    } else {
      operands.push_back(top);
    }
  }
  return operands;
}

// Translates boolean expressions (of calls with the right number of arguments) into predicates that are true, false and
// unknown for the same rows; nothing when there is none, or when it only has to be alike in being true (or, below NOT,
// false) and is not.
class Translator {
 public:
  explicit Translator(const RowSchema& row_schema) : row_schema_(row_schema) {}

  // `negated`: below an odd number of NOTs, where it is the false rows that matter.
  std::optional<Predicate> Translate(const cp::Expression& expression, bool negated) const {
    if (const arrow::Datum* literal = expression.literal()) return TranslateLiteral(*literal);
    if (const auto column = ColumnOf(expression)) {
      if (TypeOf(*column).id != TypeId::kBool) return std::nullopt;
      return Predicate::Compare(*column, Op::kEq, Value(true));
    }
    const auto* call = expression.call();
    if (call == nullptr) return std::nullopt;
    const std::string& name = call->function_name;
    if (const auto op = OpOf(name)) return TranslateComparison(*call, *op);
    if (name == "invert") {
      auto child = Translate(call->arguments.front(), !negated);
      if (!child) return std::nullopt;
      return Predicate::Not(*std::move(child));
    }
    // NULL absorbs in `and` and `or`: their false and true rows, respectively, are fewer than those of AND and OR.
    const bool is_chain =
        name == "and_kleene" || name == "or_kleene" || (name == "and" && !negated) || (name == "or" && negated);
    if (is_chain) return TranslateChain(expression, name, negated);
    return TranslateTest(*call);
  }

 private:
  const ColumnType& TypeOf(int column) const { return row_schema_.columns()[static_cast<size_t>(column)].type; }

  std::optional<int> ColumnOf(const cp::Expression& expression) const {
    const arrow::FieldRef* ref = expression.field_ref();
    if (ref == nullptr || !ref->IsName()) return std::nullopt;
    const int column = row_schema_.FindColumn(*ref->name());
    return column < 0 ? std::nullopt : std::optional<int>(column);
  }

  std::optional<Predicate> TranslateLiteral(const arrow::Datum& literal) const {
    if (!literal.is_scalar() || literal.type()->id() != arrow::Type::BOOL) return std::nullopt;
    const arrow::Scalar& scalar = *literal.scalar();
    if (!scalar.is_valid) return Predicate::Compare(0, Op::kEq, Value::Null());
    return checked_cast<const arrow::BooleanScalar&>(scalar).value ? Predicate::True() : Predicate::False();
  }

  std::optional<Predicate> TranslateChain(const cp::Expression& expression, const std::string& name,
                                          bool negated) const {
    std::vector<Predicate> children;
    for (const cp::Expression& operand : Operands(expression, name)) {
      auto child = Translate(operand, negated);
      if (!child) return std::nullopt;
      children.push_back(*std::move(child));
    }
    return name.starts_with("and") ? Predicate::And(std::move(children)) : Predicate::Or(std::move(children));
  }

  std::optional<Predicate> TranslateComparison(const cp::Expression::Call& call, Op op) const {
    std::optional<int> column = ColumnOf(call.arguments[0]);
    const arrow::Datum* literal = call.arguments[1].literal();
    if (!column) {
      column = ColumnOf(call.arguments[1]);
      literal = call.arguments[0].literal();
      op = Mirrored(op);
    }
    if (!column || literal == nullptr || !literal->is_scalar()) return std::nullopt;
    const auto place = PlaceLiteral(*literal->scalar(), TypeOf(*column));
    if (!place) return std::nullopt;
    return CompareAsArrow(*column, op, *place);
  }

  Predicate CompareAsArrow(int column, Op op, const LiteralPlace& place) const {
    if (place.kind != LiteralPlace::kValue) {
      const bool is_below = op == Op::kLt || op == Op::kLe;
      const bool holds = op == Op::kNe || (op != Op::kEq && is_below == (place.kind == LiteralPlace::kAboveAll));
      return holds ? TrueUnlessNull(column) : FalseUnlessNull(column);
    }
    // For Arrow NaN equals nothing and is in no order with anything.
    if (IsNan(place.value)) return op == Op::kNe ? TrueUnlessNull(column) : FalseUnlessNull(column);
    Predicate compare = Predicate::Compare(column, op, place.value);
    const bool admits_nan = IsReal(TypeOf(column)) && (op == Op::kGt || op == Op::kGe);
    if (place.value.is_null() || !admits_nan) return compare;
    return Predicate::And({std::move(compare), Predicate::Compare(column, Op::kLt, Nan())});
  }

  std::optional<Predicate> TranslateTest(const cp::Expression::Call& call) const {
    const std::optional<int> column = call.arguments.empty() ? std::nullopt : ColumnOf(call.arguments.front());
    if (!column) return std::nullopt;
    const std::string& name = call.function_name;
    if (name == "is_valid") return Predicate::IsNotNull(*column);
    if (name == "is_null") return TranslateIsNull(call, *column);
    if (name == "is_nan" && IsReal(TypeOf(*column))) return Predicate::Compare(*column, Op::kEq, Nan());
    if (name == "is_in") return TranslateIsIn(call, *column);
    if (name == "starts_with" || name == "match_like") return TranslatePattern(call, *column);
    return std::nullopt;
  }

  std::optional<Predicate> TranslateIsNull(const cp::Expression::Call& call, int column) const {
    const auto* options = dynamic_cast<const cp::NullOptions*>(call.options.get());
    if (options == nullptr || !options->nan_is_null || !IsReal(TypeOf(column))) return Predicate::IsNull(column);
    return Predicate::Or({Predicate::IsNull(column), Predicate::Compare(column, Op::kEq, Nan())});
  }

  std::optional<Predicate> TranslatePattern(const cp::Expression::Call& call, int column) const {
    const auto* options = dynamic_cast<const cp::MatchSubstringOptions*>(call.options.get());
    if (options == nullptr || options->ignore_case || !TypeOf(column).is_variable()) return std::nullopt;
    if (call.function_name == "starts_with") return Predicate::StartsWith(column, options->pattern);
    const size_t wildcard = options->pattern.find_first_of("%_\\");
    const bool is_prefix =
        wildcard != std::string::npos && options->pattern.find_first_not_of('%', wildcard) == std::string::npos;
    if (!is_prefix) return std::nullopt;
    return Predicate::StartsWith(column, options->pattern.substr(0, wildcard));
  }

  std::optional<Predicate> TranslateIsIn(const cp::Expression::Call& call, int column) const {
    const auto* options = dynamic_cast<const cp::SetLookupOptions*>(call.options.get());
    if (options == nullptr || !options->value_set.is_arraylike()) return std::nullopt;
    if (!IsSetComparable(*options->value_set.type(), TypeOf(column))) return std::nullopt;
    std::vector<Value> values;
    for (const auto& chunk : options->value_set.chunks()) {
      for (int64_t i = 0; i < chunk->length(); ++i) {
        const auto scalar = chunk->GetScalar(i);
        if (!scalar.ok()) return std::nullopt;
        auto place = PlaceLiteral(**scalar, TypeOf(column));
        if (!place || place->kind != LiteralPlace::kValue || !IsSetEquality(place->value)) return std::nullopt;
        values.push_back(std::move(place->value));
      }
    }
    const bool has_null = std::erase_if(values, [](const Value& value) { return value.is_null(); }) > 0;
    return InAsArrow(column, std::move(values), has_null, options->GetNullMatchingBehavior());
  }

  // Arrow looks values up by their bits: it tells -0.0 from 0.0, and one NaN from another.
  static bool IsSetEquality(const Value& value) {
    const auto* number = std::get_if<double>(&value.variant());
    return number == nullptr || (*number != 0 && !std::isnan(*number));
  }

  static Predicate InAsArrow(int column, std::vector<Value> values, bool has_null,
                             cp::SetLookupOptions::NullMatchingBehavior behavior) {
    // IN () is false for NULL, too.
    const auto in = [&] { return values.empty() ? FalseUnlessNull(column) : Predicate::In(column, std::move(values)); };
    switch (behavior) {
      case cp::SetLookupOptions::MATCH:
      case cp::SetLookupOptions::SKIP: {
        Predicate found = Predicate::And({Predicate::IsNotNull(column), in()});
        if (!has_null || behavior == cp::SetLookupOptions::SKIP) return found;
        return Predicate::Or({std::move(found), Predicate::IsNull(column)});
      }
      case cp::SetLookupOptions::EMIT_NULL:
        return in();
      case cp::SetLookupOptions::INCONCLUSIVE:
        if (has_null) values.push_back(Value::Null());
        return in();
    }
    return in();
  }

  const RowSchema& row_schema_;
};

std::string ListColumns(const RowSchema& row_schema) {
  std::string names;
  for (const RowColumn& column : row_schema.columns()) names.append(names.empty() ? "" : ", ").append(column.name);
  return names;
}

// The position of the referenced column; names may differ in case where that is not ambiguous.
arrow::Result<int> ResolveColumn(const arrow::FieldRef& ref, const RowSchema& row_schema) {
  int column = -1;
  if (ref.IsName()) column = row_schema.FindColumn(*ref.name());
  if (const arrow::FieldPath* path = ref.field_path(); path != nullptr && path->indices().size() == 1) {
    const int index = path->indices().front();
    if (index >= 0 && static_cast<size_t>(index) < row_schema.columns().size()) column = index;
  }
  if (column >= 0) return column;
  const std::string name = ref.IsName() ? "'" + *ref.name() + "'" : ref.ToString();
  return arrow::Status::Invalid("the filter on table ", row_schema.table_name(), " names the column ", name,
                                ", which the table does not have; its columns are ", ListColumns(row_schema));
}

// Arrow takes a wrong number of arguments for granted in places (it crashes writing such an expression out).
arrow::Status CheckCall(const cp::Expression::Call& call, const RowSchema& row_schema) {
  const auto function = cp::GetFunctionRegistry()->GetFunction(call.function_name);
  if (!function.ok()) {
    return arrow::Status::Invalid("the filter on table ", row_schema.table_name(), " calls the function ",
                                  call.function_name, ", which Arrow does not have");
  }
  const cp::Arity& arity = (*function)->arity();
  const auto count = static_cast<int>(call.arguments.size());
  if (arity.is_varargs ? count >= arity.num_args : count == arity.num_args) return arrow::Status::OK();
  return arrow::Status::Invalid("the filter on table ", row_schema.table_name(), " calls the function ",
                                call.function_name, " with ", count, " arguments instead of ", arity.num_args);
}

// The same expression with all columns by their names in the table.
arrow::Result<cp::Expression> ResolveColumns(const cp::Expression& expression, const RowSchema& row_schema) {
  if (!expression.is_valid()) {
    return arrow::Status::Invalid("the filter on table ", row_schema.table_name(), " has an empty expression");
  }
  if (const arrow::FieldRef* ref = expression.field_ref()) {
    ARROW_ASSIGN_OR_RAISE(const int column, ResolveColumn(*ref, row_schema));
    return cp::field_ref(row_schema.columns()[static_cast<size_t>(column)].name);
  }
  const auto* call = expression.call();
  if (call == nullptr) return expression;
  ARROW_RETURN_NOT_OK(CheckCall(*call, row_schema));
  std::vector<cp::Expression> arguments;
  for (const cp::Expression& argument : call->arguments) {
    ARROW_ASSIGN_OR_RAISE(cp::Expression resolved, ResolveColumns(argument, row_schema));
    arguments.push_back(std::move(resolved));
  }
  return cp::call(call->function_name, std::move(arguments), call->options);
}

arrow::Result<cp::Expression> BindFilter(const cp::Expression& filter, const RowSchema& row_schema) {
  auto bound = filter.Bind(*row_schema.arrow_schema());
  if (!bound.ok()) {
    return arrow::Status::Invalid("the filter ", filter.ToString(), " does not fit table ", row_schema.table_name(),
                                  ": ", bound.status().message());
  }
  if (bound->type() == nullptr || bound->type()->id() != arrow::Type::BOOL || !bound->IsScalarExpression()) {
    return arrow::Status::Invalid("the filter ", filter.ToString(), " on table ", row_schema.table_name(),
                                  " is not true or false for a row: its type is ",
                                  bound->type() == nullptr ? "unknown" : bound->type()->ToString());
  }
  return bound;
}

arrow::Result<std::vector<int>> ColumnsOf(const cp::Expression& expression, const RowSchema& row_schema) {
  std::vector<int> columns;
  for (const arrow::FieldRef& ref : cp::FieldsInExpression(expression)) {
    ARROW_ASSIGN_OR_RAISE(const int column, ResolveColumn(ref, row_schema));
    columns.push_back(column);
  }
  std::ranges::sort(columns);
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

// Batches have some types in a form of their own, which Arrow's functions would take for another.
arrow::Status CheckTypes(const cp::Expression& filter, const RowSchema& row_schema) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<int> columns, ColumnsOf(filter, row_schema));
  for (const int number : columns) {
    const RowColumn& column = row_schema.columns()[static_cast<size_t>(number)];
    if (IsBatchTypeArrow(column.type) || IsText(column.type)) continue;
    return arrow::Status::NotImplemented("the filter ", filter.ToString(), " on table ", row_schema.table_name(),
                                         ": Arrow does not compare values of column ", column.name, ", type ",
                                         column.type.ToString(), "; ask in SQL");
  }
  return arrow::Status::OK();
}

// The operands of the outermost ANDs; `and` and `and_kleene` are true for the same rows.
std::vector<cp::Expression> Conjuncts(const cp::Expression& filter) {
  std::vector<cp::Expression> conjuncts;
  for (const cp::Expression& kleene : Operands(filter, "and_kleene")) {
    const auto* call = kleene.call();
    if (call == nullptr || call->function_name != "and") {
      conjuncts.push_back(kleene);
      continue;
    }
    for (const cp::Expression& operand : Operands(kleene, "and")) {
      for (cp::Expression& conjunct : Conjuncts(operand)) conjuncts.push_back(std::move(conjunct));
    }
  }
  return conjuncts;
}

}  // namespace

arrow::Result<ArrowFilter> TranslateArrowFilter(const cp::Expression& filter, const RowSchema& row_schema) {
  static const arrow::Status initialized = cp::Initialize();
  ARROW_RETURN_NOT_OK(initialized);
  ARROW_ASSIGN_OR_RAISE(const cp::Expression resolved, ResolveColumns(filter, row_schema));

  const Translator translator(row_schema);
  std::vector<Predicate> pushed;
  std::vector<cp::Expression> residual;
  for (const cp::Expression& conjunct : Conjuncts(resolved)) {
    if (auto predicate = translator.Translate(conjunct, /*negated=*/false)) {
      pushed.push_back(*std::move(predicate));
      continue;
    }
    ARROW_RETURN_NOT_OK(CheckTypes(conjunct, row_schema));
    ARROW_RETURN_NOT_OK(BindFilter(conjunct, row_schema));  // for an error that names just this part
    residual.push_back(conjunct);
  }
  ArrowFilter result;
  result.pushed = Predicate::And(std::move(pushed));
  result.has_residual = !residual.empty();
  if (!result.has_residual) {
    static const cp::Expression all_rows = cp::literal(true);
    result.residual = all_rows;
    return result;
  }
  ARROW_ASSIGN_OR_RAISE(result.residual_columns, ColumnsOf(cp::and_(residual), row_schema));
  ARROW_ASSIGN_OR_RAISE(result.residual, BindFilter(cp::and_(residual), row_schema));
  return result;
}

}  // namespace yarrow
