#include "sql/index_expressions.h"

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/optimizer/optimizer.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/expression_binder/index_binder.hpp>
#include <duckdb/planner/expression_iterator.hpp>
#include <duckdb/planner/operator/logical_dummy_scan.hpp>

#include <algorithm>
#include <mutex>
#include <utility>

#include "batch/row_decoder.h"
#include "catalog/table_schema.h"
#include "sql/duckdb_instance.h"
#include "sql/sql_error.h"
#include "sql/sql_type.h"
#include "sql/stored_columns.h"
#include "sql/table_expressions.h"
#include "sql/vector_sink.h"
#include "yarrow/sql.h"

namespace yarrow::sql {
namespace {

using duckdb::Expression;
using duckdb::LogicalTypeId;

// It lives as long as the process: tables that ask for values may be the last to go.
duckdb::DuckDB& Engine() {
  static duckdb::DuckDB* const engine = OpenDuckDb().release();
  return *engine;
}

// Settings by which DuckDB reads an expression, or computes it.
constexpr const char* kSettings[] = {"default_collation",  "integer_division",     "ieee_floating_point_ops",
                                     "default_null_order", "old_implicit_casting", "default_order"};

bool HasEngineSettings(const duckdb::ClientContext& context) {
  static const auto settings = [] {
    duckdb::Connection connection(Engine());
    std::vector<std::string> values;
    for (const char* const name : kSettings) {
      duckdb::Value value;
      connection.context->TryGetCurrentSetting(name, value);
      values.push_back(value.ToString());
    }
    return values;
  }();
  for (size_t i = 0; i < settings.size(); ++i) {
    duckdb::Value value;
    context.TryGetCurrentSetting(kSettings[i], value);
    if (value.ToString() != settings[i]) return false;
  }
  return true;
}

bool DependsOnTimeZone(const Expression& expression) {
  const LogicalTypeId type = expression.return_type.id();
  bool found = type == LogicalTypeId::TIMESTAMP_TZ || type == LogicalTypeId::TIME_TZ;
  duckdb::ExpressionIterator::EnumerateChildren(
      expression, [&](const Expression& child) { found = found || DependsOnTimeZone(child); });
  return found;
}

struct Bound {
  duckdb::unique_ptr<Expression> as_written, as_planned;  // columns: references to arguments by position
};

// Columns of the one table in scope become references to arguments.
void ReferToArguments(duckdb::unique_ptr<Expression>* expression) {
  if ((*expression)->GetExpressionType() == duckdb::ExpressionType::BOUND_COLUMN_REF) {
    const auto& column = (*expression)->Cast<duckdb::BoundColumnRefExpression>();
    *expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(column.return_type, column.binding.column_index);
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      **expression, [](duckdb::unique_ptr<Expression>& child) { ReferToArguments(&child); });
}

// As the optimizer rewrites it in a query.
duckdb::unique_ptr<Expression> Rewritten(duckdb::ClientContext& context, duckdb::Binder& binder,
                                         duckdb::unique_ptr<Expression> expression) {
  duckdb::vector<duckdb::unique_ptr<Expression>> list;
  list.push_back(std::move(expression));
  duckdb::LogicalProjection projection(binder.GenerateTableIndex(), std::move(list));
  projection.children.push_back(duckdb::make_uniq<duckdb::LogicalDummyScan>(binder.GenerateTableIndex()));
  projection.ResolveOperatorTypes();
  duckdb::Optimizer optimizer(binder, context);
  optimizer.rewriter.VisitOperator(projection);
  return std::move(projection.expressions[0]);
}

Bound BindToRow(duckdb::ClientContext& context, const std::string& sql,
                const std::vector<RowExpressionSpec::Argument>& arguments) {
  Bound bound;
  context.RunFunctionInTransaction([&] {
    const auto binder = duckdb::Binder::CreateBinder(context);
    duckdb::vector<duckdb::string> names;
    duckdb::vector<duckdb::LogicalType> types;
    for (const auto& argument : arguments) {
      names.push_back(argument.name);
      types.push_back(ToLogicalType(argument.type));
    }
    binder->bind_context.AddGenericBinding(binder->GenerateTableIndex(), "yarrow_row", names, types);
    duckdb::IndexBinder index_binder(*binder, context);
    auto parsed = ParseExpression(sql);
    auto expression = index_binder.Bind(parsed);
    bound.as_written = expression->Copy();
    bound.as_planned = Rewritten(context, *binder, std::move(expression));
    ReferToArguments(&bound.as_written);
    ReferToArguments(&bound.as_planned);
  });
  return bound;
}

// What one thread at a time needs to compute a value.
struct Workplace {
  Workplace(duckdb::ClientContext& context, const Expression& expression,
            const duckdb::vector<duckdb::LogicalType>& types)
      : executor(context, expression) {
    if (!types.empty()) arguments.Initialize(context, types);
    value.Initialize(context, {expression.return_type});
  }
  void Reset() {
    arguments.Reset();
    value.Reset();
  }
  std::vector<duckdb::Vector*> ArgumentVectors() {
    std::vector<duckdb::Vector*> vectors;
    for (duckdb::Vector& vector : arguments.data) vectors.push_back(&vector);
    return vectors;
  }
  // The values of that many rows of arguments.
  duckdb::Vector& Execute(duckdb::idx_t rows) {
    arguments.SetCardinality(rows);
    value.SetCardinality(rows);
    executor.Execute(arguments, value);
    return value.data[0];
  }
  duckdb::ExpressionExecutor executor;
  duckdb::DataChunk arguments, value;
};

class CompiledExpression : public RowExpression {
 public:
  explicit CompiledExpression(const RowExpressionSpec& spec)
      : type_(spec.type), connection_(Engine()), bound_(BindToRow(*connection_.context, spec.sql, spec.arguments)) {
    for (const auto& argument : spec.arguments) {
      argument_types_.push_back(argument.type);
      types_.push_back(ToLogicalType(argument.type));
    }
  }

  const Expression& as_planned() const { return *bound_.as_planned; }
  const Expression& as_written() const { return *bound_.as_written; }

  arrow::Result<Value> Evaluate(std::span<const Value> arguments) const override {
    return AtPlace([&](Workplace& place) { return FromDuckDb(Compute(arguments, &place), type_); });
  }

  arrow::Result<std::vector<Value>> EvaluateRows(const std::shared_ptr<const RowSchema>& schema,
                                                 std::span<const int> positions,
                                                 std::span<const StoredRow> rows) const override {
    return AtPlace([&](Workplace& place) -> arrow::Result<std::vector<Value>> {
      batch::RowDecoder<VectorSink> decoder(schema, {positions.begin(), positions.end()});
      VectorSink sink(argument_types_);
      std::vector<Value> values;
      for (size_t at = 0; at < rows.size(); at += STANDARD_VECTOR_SIZE) {
        const auto those = rows.subspan(at, std::min<size_t>(rows.size() - at, STANDARD_VECTOR_SIZE));
        place.Reset();
        sink.Attach(place.ArgumentVectors());
        for (const StoredRow& row : those) ARROW_RETURN_NOT_OK(decoder.Decode(row.key, row.row, sink));
        ARROW_RETURN_NOT_OK(AppendValues(place.Execute(those.size()), those.size(), &values));
      }
      return values;
    });
  }

 private:
  // Calls `compute` with a workplace that no other thread has; DuckDB's exceptions become errors.
  template <class Compute>
  auto AtPlace(const Compute& compute) const -> decltype(compute(std::declval<Workplace&>())) {
    try {
      std::unique_ptr<Workplace> place = Take();
      auto computed = compute(*place);
      GiveBack(std::move(place));
      return computed;
    } catch (const std::exception& exception) {
      return arrow::Status::Invalid(duckdb::ErrorData(exception).Message());
    }
  }
  arrow::Status AppendValues(duckdb::Vector& vector, size_t count, std::vector<Value>* values) const {
    vector.Flatten(count);
    const auto& validity = duckdb::FlatVector::Validity(vector);
    for (size_t i = 0; i < count; ++i) {
      if (!validity.RowIsValid(i)) {
        values->push_back(Value::Null());
      } else if (type_.id == TypeId::kUtf8) {
        values->emplace_back(duckdb::FlatVector::GetData<duckdb::string_t>(vector)[i].GetString());
      } else {
        ARROW_ASSIGN_OR_RAISE(Value value, FromDuckDb(vector.GetValue(i), type_));
        values->push_back(std::move(value));
      }
    }
    return arrow::Status::OK();
  }
  duckdb::Value Compute(std::span<const Value> arguments, Workplace* place) const {
    place->Reset();
    for (size_t i = 0; i < arguments.size(); ++i) {
      place->arguments.SetValue(i, 0, ToDuckDb(arguments[i], argument_types_[i]));
    }
    return place->Execute(1).GetValue(0);
  }
  std::unique_ptr<Workplace> Take() const {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto place = std::move(free_.back());
        free_.pop_back();
        return place;
      }
    }
    return std::make_unique<Workplace>(*connection_.context, *bound_.as_written, types_);
  }
  void GiveBack(std::unique_ptr<Workplace> place) const {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(place));
  }

  const ColumnType type_;
  mutable duckdb::Connection connection_;
  const Bound bound_;
  std::vector<ColumnType> argument_types_;
  duckdb::vector<duckdb::LogicalType> types_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Workplace>> free_;  // under mutex_
};

arrow::Result<std::shared_ptr<const RowExpression>> Compile(const RowExpressionSpec& spec) {
  try {
    auto compiled = std::make_shared<const CompiledExpression>(spec);
    if (compiled->as_written().return_type == ToLogicalType(spec.type)) return compiled;
    return arrow::Status::Invalid("the index expression (", spec.sql, ") gives ",
                                  compiled->as_written().return_type.ToString(), " and gave ", spec.type.ToString(),
                                  " when the index was made: drop the index and make it again");
  } catch (const std::exception& exception) {
    return arrow::Status::Invalid("the index expression (", spec.sql,
                                  ") cannot be read: ", duckdb::ErrorData(exception).Message());
  }
}

std::vector<RowExpressionSpec::Argument> ArgumentsOf(const std::vector<std::string>& columns,
                                                     const TableDefinition& table) {
  std::vector<RowExpressionSpec::Argument> arguments;
  for (const std::string& name : columns) {
    const auto column = std::ranges::find(table.columns, name, &ColumnDefinition::name);
    arguments.push_back({.name = name, .type = column->type});
  }
  return arguments;
}

// As entries are made: without anything of a database or a session.
Bound BindAlone(const std::string& where, const std::string& sql,
                const std::vector<RowExpressionSpec::Argument>& arguments) {
  duckdb::Connection connection(Engine());
  try {
    return BindToRow(*connection.context, sql, arguments);
  } catch (const std::exception& exception) {
    const duckdb::ErrorData error(exception);
    if (error.Type() != duckdb::ExceptionType::CATALOG) throw;
    throw duckdb::BinderException(where + ": (" + sql +
                                  ") is more than columns and functions of DuckDB, such as a macro or a type of this "
                                  "database; write what it stands for. " +
                                  error.RawMessage());
  }
}

// Columns of the scan become references by their places in `positions`, which are those of the arguments. False when
// there are others, or anything else that is not the same in every session.
bool ReferToScanned(const duckdb::LogicalGet& get, const TableDefinition& table, const std::vector<int>& positions,
                    duckdb::unique_ptr<Expression>* expression) {
  if ((*expression)->GetExpressionType() == duckdb::ExpressionType::BOUND_COLUMN_REF) {
    const auto& reference = (*expression)->Cast<duckdb::BoundColumnRefExpression>();
    if (reference.binding.table_index != get.table_index) return false;
    const auto column = StoredColumn(table, get.GetColumnIds()[reference.binding.column_index]);
    if (!column) return false;
    const auto at = std::ranges::find(positions, static_cast<int>(*column));
    if (at == positions.end()) return false;
    *expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(
        reference.return_type, static_cast<duckdb::storage_t>(at - positions.begin()));
    return true;
  }
  bool all = true;
  duckdb::ExpressionIterator::EnumerateChildren(**expression, [&](duckdb::unique_ptr<Expression>& child) {
    all = all && ReferToScanned(get, table, positions, &child);
  });
  return all;
}

}  // namespace

void RegisterIndexExpressions() {
  SetRowExpressionCompiler(Compile);
}

ReadExpression ReadIndexExpression(const std::string& where, const std::string& text, const TableDefinition& table) {
  ReadExpression read{.expression = {.sql = text, .type = {}}, .columns = {}};
  for (const std::string& name : ColumnsNamedIn(text)) {
    const auto column = std::ranges::find_if(
        table.columns, [&](const ColumnDefinition& one) { return !one.hidden && FoldCase(one.name) == name; });
    if (column != table.columns.end()) read.columns.push_back(column->name);
  }
  const Bound bound = BindAlone(where, text, ArgumentsOf(read.columns, table));
  if (bound.as_written->IsVolatile() || !bound.as_written->IsConsistent()) {
    throw duckdb::BinderException("Index keys cannot contain expressions with side effects. " + where + ": (" + text +
                                  ") is not always the same value for the same row");
  }
  if (DependsOnTimeZone(*bound.as_written)) {
    throw duckdb::BinderException(where + ": (" + text +
                                  ") depends on the time zone of the session; take a column of type TIMESTAMP");
  }
  const auto type = FromLogicalType(bound.as_written->return_type);
  Check(type.status());
  read.expression.type = *type;
  return read;
}

void CheckReadsAlike(const std::string& where, const ReadExpression& read, const TableDefinition& table,
                     const Expression& bound, const duckdb::LogicalGet& get) {
  std::vector<int> positions;
  for (const std::string& name : read.columns) {
    const auto column = std::ranges::find(table.columns, name, &ColumnDefinition::name);
    positions.push_back(static_cast<int>(column - table.columns.begin()));
  }
  const Bound own = BindAlone(where, read.expression.sql, ArgumentsOf(read.columns, table));
  auto other = bound.Copy();
  if (ReferToScanned(get, table, positions, &other) && Expression::Equals(*own.as_written, *other)) return;
  throw duckdb::BinderException(where + ": (" + read.expression.sql +
                                ") has a macro or a setting of this session in it; write what it stands for");
}

IndexedExpressions::IndexedExpressions(const duckdb::ClientContext& context, const TableImpl& table,
                                       const duckdb::LogicalGet& get)
    : table_(table), get_(get) {
  has_any_ = std::ranges::any_of(table.indexes(), [](const TableIndex& index) {
    return !index.definition->expressions.empty() && !index.definition->is_building;
  });
  has_any_ = has_any_ && HasEngineSettings(context);
}

std::optional<int> IndexedExpressions::Find(const Expression& expression) const {
  if (!has_any_) return std::nullopt;
  for (const TableIndex& index : table_.indexes()) {
    const ExpressionParts& expressions = index.keys.expressions();
    if (index.definition->is_building) continue;
    for (const ExpressionParts::Part& part : expressions.parts) {
      if (ToLogicalType(part.type) != expression.return_type) continue;
      const auto compiled = part.value->Compiled();
      if (!compiled.ok()) continue;  // writers are told
      auto copy = expression.Copy();
      if (!ReferToScanned(get_, table_.definition(), expressions.arguments, &copy)) continue;
      const auto& own = static_cast<const CompiledExpression&>(**compiled);
      if (Expression::Equals(own.as_planned(), *copy) || Expression::Equals(own.as_written(), *copy)) {
        return part.number;
      }
    }
  }
  return std::nullopt;
}

const ColumnType& TypeOfNumber(const TableImpl& table, int number) {
  const auto& columns = table.definition().columns;
  if (number >= 0 && static_cast<size_t>(number) < columns.size()) return columns[static_cast<size_t>(number)].type;
  for (const TableIndex& index : table.indexes()) {
    const auto& parts = index.keys.expressions().parts;
    const auto part = std::ranges::find(parts, number, &ExpressionParts::Part::number);
    if (part != parts.end()) return part->type;
  }
  throw duckdb::SerializationException("table " + table.definition().QualifiedName() + " has no column number " +
                                       std::to_string(number));
}

}  // namespace yarrow::sql
