#include "sql/create_table.h"

#include <duckdb/common/type_visitor.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/parser/constraints/check_constraint.hpp>
#include <duckdb/parser/constraints/foreign_key_constraint.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/expression/function_expression.hpp>
#include <duckdb/parser/keyword_helper.hpp>
#include <duckdb/parser/parsed_expression_iterator.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression_binder/constant_binder.hpp>
#include <duckdb/planner/expression_iterator.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "catalog/table_schema.h"
#include "sql/sql_error.h"
#include "sql/sql_type.h"
#include "sql/table_expressions.h"
#include "sql/table_options.h"

namespace yarrow::sql {
namespace {

using duckdb::ConstraintType;

std::string Where(const duckdb::CreateTableInfo& info) {
  return "table " + info.schema + "." + info.table;
}

// Functions that DuckDB calls consistent, or replaces by a constant as it binds, though their value is of the moment.
bool IsOfTheMoment(const std::string& function) {
  static const std::set<std::string> names = {"age",
                                              "current_localtime",
                                              "current_localtimestamp",
                                              "current_role",
                                              "current_setting",
                                              "current_user",
                                              "getvariable",
                                              "localtime",
                                              "localtimestamp",
                                              "session_user",
                                              "user",
                                              "version"};
  return names.contains(duckdb::StringUtil::Lower(function));
}

bool IsOfTheMoment(const duckdb::ParsedExpression& expression) {
  switch (expression.GetExpressionType()) {
    case duckdb::ExpressionType::COLUMN_REF:  // as the parser has it without ()
      return IsOfTheMoment(expression.Cast<duckdb::ColumnRefExpression>().GetColumnName());
    case duckdb::ExpressionType::FUNCTION:
      if (IsOfTheMoment(expression.Cast<duckdb::FunctionExpression>().function_name)) return true;
      break;
    default:
      break;
  }
  bool found = false;
  duckdb::ParsedExpressionIterator::EnumerateChildren(
      expression, [&](const duckdb::ParsedExpression& child) { found = found || IsOfTheMoment(child); });
  return found;
}

void AddConstraint(const duckdb::CreateTableInfo& info, const duckdb::Constraint& constraint, TableSpec* spec) {
  if (constraint.type == ConstraintType::NOT_NULL) {
    const auto& column = info.columns.GetColumn(constraint.Cast<duckdb::NotNullConstraint>().index);
    spec->columns[column.Physical().index].nullable = false;
    return;
  }
  if (constraint.type == ConstraintType::CHECK) {
    spec->checks.push_back(CheckText(info.table, info.columns, *constraint.Cast<duckdb::CheckConstraint>().expression));
    return;
  }
  if (constraint.type == ConstraintType::UNIQUE) {
    const auto& unique = constraint.Cast<duckdb::UniqueConstraint>();
    std::vector<std::string> columns;
    for (const auto& index : unique.GetLogicalIndexes(info.columns)) {
      columns.push_back(info.columns.GetColumn(index).Name());
    }
    if (unique.IsPrimaryKey()) {
      spec->primary_key = std::move(columns);
    } else {
      spec->indexes.push_back({.name = {}, .columns = std::move(columns), .unique = true});
    }
    return;
  }
  if (constraint.type == ConstraintType::FOREIGN_KEY) {
    const auto& key = constraint.Cast<duckdb::ForeignKeyConstraint>();
    if (key.info.type == duckdb::ForeignKeyType::FK_TYPE_PRIMARY_KEY_TABLE)
      return;  // of a table that refers to this one
    spec->indexes.push_back({.name = {},
                             .columns = key.fk_columns,
                             .references = ReferenceSpec{.table = key.info.table, .columns = key.pk_columns}});
    return;
  }
  throw duckdb::NotImplementedException(
      Where(info) + ": " + constraint.ToString() +
      " is not supported; tables have PRIMARY KEY, UNIQUE, FOREIGN KEY, NOT NULL and CHECK");
}

}  // namespace

namespace {

duckdb::unique_ptr<duckdb::Expression> BindDefault(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                                                   const duckdb::ParsedExpression& expression, const ColumnType& type) {
  auto copy = expression.Copy();
  auto binder = duckdb::Binder::CreateBinder(context);
  binder->SetSearchPath(schema.catalog, schema.name);  // as DuckDB does when it computes it
  duckdb::ConstantBinder constant(*binder, context, "DEFAULT value");
  constant.target_type = ToLogicalType(type);
  return constant.Bind(copy);
}

// Such values are read from text, and become text, by the time zone of the session.
bool HasTimeZone(const duckdb::Expression& bound) {
  bool found = duckdb::TypeVisitor::Contains(bound.return_type, duckdb::LogicalTypeId::TIMESTAMP_TZ);
  duckdb::ExpressionIterator::EnumerateChildren(
      bound, [&](const duckdb::Expression& child) { found = found || HasTimeZone(child); });
  return found;
}

Value ValueOf(duckdb::ClientContext& context, const duckdb::Expression& bound, const ColumnType& type) {
  const duckdb::Value value = duckdb::ExpressionExecutor::EvaluateScalar(context, bound, true);
  return Check(FromDuckDb(value.DefaultCastAs(ToLogicalType(type)), type));
}

}  // namespace

// One that has the same value at any time is stored as that.
ColumnDefault MakeDefault(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                          const duckdb::ParsedExpression& expression, const ColumnType& type) {
  const auto bound = BindDefault(context, schema, expression, type);
  const bool is_constant =
      bound->IsFoldable() && bound->IsConsistent() && !IsOfTheMoment(expression) && !HasTimeZone(*bound);
  if (!is_constant) return {.value = {}, .expression = expression.ToString()};
  return {.value = ValueOf(context, *bound, type), .expression = {}};
}

bool IsVolatileDefault(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                       const duckdb::ColumnDefinition& column) {
  const auto type = FromLogicalType(column.Type());
  return type.ok() && BindDefault(context, schema, column.DefaultValue(), *type)->IsVolatile();
}

Value DefaultNow(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                 const duckdb::ParsedExpression& expression, const ColumnType& type) {
  return ValueOf(context, *BindDefault(context, schema, expression, type), type);
}

std::string CommentOf(const duckdb::Value& comment) {
  return comment.IsNull() ? "" : comment.ToString();
}

std::string CollationOf(const duckdb::LogicalType& type) {
  return type.id() == duckdb::LogicalTypeId::VARCHAR ? duckdb::StringType::GetCollation(type) : "";
}

ColumnType DeclaredType(const std::string& where, const duckdb::LogicalType& type) {
  const auto declared = FromLogicalType(type);
  if (!declared.ok()) Check(declared.status().WithMessage(where, ": ", declared.status().message()));
  return *declared;
}

ColumnSpec MakeColumnSpec(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema, const std::string& table,
                          const duckdb::ColumnDefinition& column) {
  const std::string where = "table " + table + ": column " + column.Name();
  const ColumnType type = DeclaredType(where, column.Type());
  ColumnSpec spec{.name = column.Name(),
                  .type = type,
                  .nullable = true,
                  .default_value = {},
                  .default_expression = {},
                  .comment = CommentOf(column.Comment()),
                  .collation = CollationOf(column.Type())};
  if (!column.HasDefaultValue()) return spec;
  ColumnDefault made = MakeDefault(context, schema, column.DefaultValue(), type);
  spec.default_value = std::move(made.value);
  spec.default_expression = std::move(made.expression);
  return spec;
}

namespace {

GeneratedColumn MakeGenerated(const std::string& where, const duckdb::ColumnDefinition& column) {
  return {.id = 0,
          .name = column.Name(),
          .type = DeclaredType(where, column.Type()),
          .expression = column.GeneratedExpression().ToString(),
          .position = static_cast<uint32_t>(column.Logical().index),
          .comment = CommentOf(column.Comment()),
          .collation = CollationOf(column.Type())};
}

}  // namespace

TableSpec MakeTableSpec(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                        duckdb::CreateTableInfo& info) {
  TableSpec spec;
  spec.comment = CommentOf(info.comment);
  spec.schema_name = info.schema;
  spec.name = info.table;
  spec.kind = TakeKind(info.schema + "." + info.table, info.options);
  spec.policy = SetTableOptions(info.schema + "." + info.table, info.options, /*is_new=*/true, {});
  for (const duckdb::ColumnDefinition& column : info.columns.Logical()) {
    if (column.Generated()) {
      spec.generated_columns.push_back(MakeGenerated(Where(info) + ": column " + column.Name(), column));
    } else {
      spec.columns.push_back(MakeColumnSpec(context, schema, info.schema + "." + info.table, column));
    }
  }
  for (const auto& constraint : info.constraints) AddConstraint(info, *constraint, &spec);
  return spec;
}

namespace {

duckdb::Value ToComment(const std::string& comment) {
  return comment.empty() ? duckdb::Value() : duckdb::Value(comment);
}

}  // namespace

duckdb::vector<duckdb::PhysicalIndex> PositionsOf(const TableDefinition& table, const std::vector<uint32_t>& columns) {
  duckdb::vector<duckdb::PhysicalIndex> positions;
  for (const uint32_t id : columns) {
    const auto column = std::ranges::find(table.columns, id, &ColumnDefinition::id);
    positions.emplace_back(static_cast<duckdb::idx_t>(column - table.columns.begin()));
  }
  return positions;
}

namespace {

// DuckDB's text has no quotes around the names of tables, and of a table that refers to itself there is none.
class WrittenForeignKey : public duckdb::ForeignKeyConstraint {
 public:
  using ForeignKeyConstraint::ForeignKeyConstraint;
  std::string ToString() const override {
    auto plain = duckdb::ForeignKeyInfo(info);
    plain.type = duckdb::ForeignKeyType::FK_TYPE_FOREIGN_KEY_TABLE;
    plain.schema = duckdb::KeywordHelper::WriteOptionallyQuoted(info.schema);
    plain.table = duckdb::KeywordHelper::WriteOptionallyQuoted(info.table);
    return ForeignKeyConstraint(pk_columns, fk_columns, std::move(plain)).ToString();
  }
  duckdb::unique_ptr<Constraint> Copy() const override {
    return duckdb::make_uniq<WrittenForeignKey>(pk_columns, fk_columns, info);
  }
};

duckdb::unique_ptr<duckdb::Constraint> MakeForeignKey(const TableDefinition& table, const IndexDefinition& index) {
  const Reference& reference = *index.references;
  duckdb::vector<std::string> columns, referenced(reference.column_names.begin(), reference.column_names.end());
  duckdb::ForeignKeyInfo info;
  const bool is_own = reference.table_id == table.id;
  info.type =
      is_own ? duckdb::ForeignKeyType::FK_TYPE_SELF_REFERENCE_TABLE : duckdb::ForeignKeyType::FK_TYPE_FOREIGN_KEY_TABLE;
  info.schema = table.schema_name;
  info.table = reference.table_name;
  info.fk_keys = PositionsOf(table, index.columns);
  for (const auto& position : info.fk_keys) columns.push_back(table.columns[position.index].name);
  if (is_own) info.pk_keys = PositionsOf(table, reference.columns);  // of another table: SqlTable::GetInfo
  return duckdb::make_uniq<WrittenForeignKey>(std::move(referenced), std::move(columns), std::move(info));
}

// One column by its number, as DuckDB has it of a column's own UNIQUE or PRIMARY KEY.
duckdb::unique_ptr<duckdb::Constraint> MakeUnique(const TableDefinition& table, const std::vector<uint32_t>& columns,
                                                  bool is_primary_key) {
  duckdb::vector<std::string> names;
  for (const uint32_t id : columns) {
    const auto column = std::ranges::find(table.columns, id, &ColumnDefinition::id);
    names.push_back(column->name);
    if (columns.size() > 1) continue;
    const duckdb::LogicalIndex number(SqlPosition(table, static_cast<size_t>(column - table.columns.begin())));
    return duckdb::make_uniq<duckdb::UniqueConstraint>(number, column->name, is_primary_key);
  }
  return duckdb::make_uniq<duckdb::UniqueConstraint>(std::move(names), is_primary_key);
}

duckdb::LogicalType Collated(const ColumnType& type, const std::string& collation) {
  return collation.empty() ? ToLogicalType(type) : duckdb::LogicalType::VARCHAR_COLLATION(collation);
}

}  // namespace

void FillTableInfo(const TableDefinition& definition, duckdb::CreateTableInfo* info) {
  info->comment = ToComment(definition.comment);
  duckdb::vector<duckdb::unique_ptr<duckdb::Constraint>> key_not_null;  // last, as DuckDB has them
  if (!definition.has_hidden_row_id() && !definition.primary_key.empty()) {
    info->constraints.push_back(MakeUnique(definition, definition.primary_key, /*is_primary_key=*/true));
  }
  auto generated = definition.generated_columns.begin();
  const auto add_generated = [&] {
    for (; generated != definition.generated_columns.end(); ++generated) {
      if (generated->position != info->columns.LogicalColumnCount()) return;
      duckdb::ColumnDefinition made(generated->name, Collated(generated->type, generated->collation),
                                    ParseExpression(generated->expression), duckdb::TableColumnType::GENERATED);
      made.SetComment(ToComment(generated->comment));
      info->columns.AddColumn(std::move(made));
    }
  };
  for (size_t i = 0; i < definition.visible_columns(); ++i) {
    add_generated();
    const ColumnDefinition& column = definition.columns[i];
    duckdb::ColumnDefinition made(column.name, Collated(column.type, column.collation));
    made.SetComment(ToComment(column.comment));
    if (!column.default_expression.empty()) {
      made.SetDefaultValue(ParseExpression(column.default_expression));
    } else if (!column.default_value.is_null()) {
      made.SetDefaultValue(duckdb::make_uniq<duckdb::ConstantExpression>(ToDuckDb(column.default_value, column.type)));
    }
    const duckdb::LogicalIndex position(info->columns.LogicalColumnCount());
    info->columns.AddColumn(std::move(made));
    if (column.nullable) continue;
    const bool in_key = std::ranges::count(definition.primary_key, column.id) > 0;
    (in_key ? key_not_null : info->constraints).push_back(duckdb::make_uniq<duckdb::NotNullConstraint>(position));
  }
  add_generated();
  for (const std::string& check : definition.checks) {
    info->constraints.push_back(duckdb::make_uniq<duckdb::CheckConstraint>(ParseExpression(check)));
  }
  for (const IndexDefinition& index : definition.indexes) {
    if (!index.is_constraint()) continue;
    info->constraints.push_back(index.references ? MakeForeignKey(definition, index)
                                                 : MakeUnique(definition, index.columns, /*is_primary_key=*/false));
  }
  std::ranges::move(key_not_null, std::back_inserter(info->constraints));
}

}  // namespace yarrow::sql
