#include "sql/create_index.h"

#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/expression_binder/index_binder.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_get.hpp>

#include <algorithm>
#include <utility>

#include "catalog/table_schema.h"
#include "flush/online_index.h"
#include "sql/call_function.h"
#include "sql/index_expressions.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/stored_columns.h"
#include "sql/table_expressions.h"

namespace yarrow::sql {
namespace {

std::string Where(const IndexSpec& spec, const TableDefinition& table) {
  return "index " + spec.name + " on table " + table.QualifiedName();
}

// What DuckDB's parser takes and indexes here have not.
void CheckOptions(const duckdb::CreateIndexInfo& info, const TableDefinition& table) {
  if (!info.index_type.empty() && !duckdb::StringUtil::CIEquals(info.index_type, "ART")) {
    throw duckdb::BinderException("Unknown index type: " + info.index_type +
                                  "; indexes of a Yarrow database are of one type: leave USING out");
  }
  if (info.options.empty()) return;
  throw duckdb::BinderException("index " + info.index_name + " on table " + table.QualifiedName() +
                                ": there is no option '" + info.options.begin()->first + "'");
}

[[noreturn]] void RefuseGenerated(const IndexSpec& spec, const TableDefinition& table, const std::string& column) {
  throw duckdb::NotImplementedException(Where(spec, table) + ": " + column +
                                        " is no column with values: write the expression that generates it");
}

void AddExpression(ReadExpression read, IndexSpec* spec) {
  spec->columns.emplace_back();
  spec->expressions.push_back(std::move(read.expression));
  for (std::string& column : read.columns) {
    if (std::ranges::count(spec->expression_columns, column) == 0) {
      spec->expression_columns.push_back(std::move(column));
    }
  }
}

// Makes the index when it is executed.
class CreateIndexOperator : public duckdb::PhysicalOperator {
 public:
  CreateIndexOperator(duckdb::PhysicalPlan& plan, std::shared_ptr<SqlTable> table, IndexSpec spec,
                      duckdb::OnCreateConflict on_conflict)
      : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, {duckdb::LogicalType::BIGINT}, 1),
        table_(std::move(table)),
        spec_(std::move(spec)),
        on_conflict_(on_conflict) {}
  duckdb::string GetName() const override { return "YARROW_CREATE_INDEX"; }
  bool IsSource() const override { return true; }

 protected:
  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext& context, duckdb::DataChunk&,
                                           duckdb::OperatorSourceInput&) const override {
    MakeIndex(context.client, table_->schema.Cast<SqlSchema>(), table_->name, spec_, on_conflict_);
    return duckdb::SourceResultType::FINISHED;  // no row
  }

 private:
  const std::shared_ptr<SqlTable> table_;
  const IndexSpec spec_;
  const duckdb::OnCreateConflict on_conflict_;
};

class LogicalCreateSqlIndex : public duckdb::LogicalExtensionOperator {
 public:
  LogicalCreateSqlIndex(std::shared_ptr<SqlTable> table, IndexSpec spec, duckdb::OnCreateConflict on_conflict)
      : table_(std::move(table)), spec_(std::move(spec)), on_conflict_(on_conflict) {}

  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    return planner.Make<CreateIndexOperator>(table_, spec_, on_conflict_);
  }
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override { return {duckdb::ColumnBinding(0, 0)}; }
  duckdb::idx_t EstimateCardinality(duckdb::ClientContext&) override { return 1; }
  duckdb::string GetName() const override { return "YARROW_CREATE_INDEX"; }
  duckdb::string GetExtensionName() const override { return "yarrow"; }
  bool SupportSerialization() const override { return false; }

 protected:
  void ResolveTypes() override { types = {duckdb::LogicalType::BIGINT}; }

 private:
  const std::shared_ptr<SqlTable> table_;
  const IndexSpec spec_;
  const duckdb::OnCreateConflict on_conflict_;
};

}  // namespace

std::shared_ptr<SqlIndex> SqlIndex::Make(duckdb::SchemaCatalogEntry& of, const TableDefinition& table,
                                         const IndexDefinition& index) {
  duckdb::CreateIndexInfo info;
  info.schema = of.name;
  info.table = table.name;
  info.index_name = index.name;
  info.index_type = "ART";  // DuckDB's word for an index without USING
  info.constraint_type = index.unique ? duckdb::IndexConstraintType::UNIQUE : duckdb::IndexConstraintType::NONE;
  if (!index.comment.empty()) info.comment = duckdb::Value(index.comment);
  auto expression = index.expressions.begin();
  for (const uint32_t id : index.columns) {
    if (id == 0) {
      info.parsed_expressions.push_back(ParseExpression((expression++)->sql));
      continue;
    }
    const auto column = std::ranges::find(table.columns, id, &ColumnDefinition::id);
    info.column_ids.push_back(SqlPosition(table, static_cast<size_t>(column - table.columns.begin())));
    info.parsed_expressions.push_back(duckdb::make_uniq<duckdb::ColumnRefExpression>(column->name, table.name));
  }
  auto made = std::make_shared<SqlIndex>(of, info, table.name);
  made->oid = of.catalog.Cast<SqlCatalog>().StableOid(table.id, index.id, made->oid);
  return made;
}

const IndexDefinition* FindIndex(const TableDefinition& table, const std::string& name) {
  const auto at = std::ranges::find_if(table.indexes, [&](const IndexDefinition& index) {
    return !index.is_constraint() && FoldCase(index.name) == FoldCase(name);
  });
  return at == table.indexes.end() ? nullptr : &*at;
}

namespace {

// Null when no index has the column.
const IndexDefinition* IndexOf(const TableDefinition& table, const ColumnDefinition& column) {
  const auto at = std::ranges::find_if(
      table.indexes, [&](const IndexDefinition& index) { return TableDefinition::IsMadeFrom(index, column); });
  return at == table.indexes.end() ? nullptr : &*at;
}

// What it is, and what is to be done.
std::string Remedy(const TableDefinition& table, const ColumnDefinition& column, const IndexDefinition& index) {
  const std::string what = " Column " + column.name + " of table " + table.QualifiedName() + ": ";
  if (index.is_constraint()) {
    return what + "UNIQUE (" + table.ColumnsOf(index) + "); make a table without it and copy the rows";
  }
  return what + "DROP INDEX " + index.name + " first";
}

}  // namespace

void CheckTypeMayChange(const TableDefinition& table, const ColumnDefinition& column) {
  const IndexDefinition* const index = IndexOf(table, column);
  if (index == nullptr) return;
  throw duckdb::CatalogException("Cannot change the type of this column: an index depends on it!" +
                                 Remedy(table, column, *index));
}

void CheckMayDrop(const TableDefinition& table, const std::string& column) {
  const auto at = std::ranges::find_if(
      table.columns, [&](const ColumnDefinition& one) { return FoldCase(one.name) == FoldCase(column); });
  const IndexDefinition* const index = at == table.columns.end() ? nullptr : IndexOf(table, *at);
  if (index == nullptr) return;
  std::string why = "Cannot drop this column: an index depends on it!";
  if (index->is_constraint()) {
    why = "Cannot drop column \"" + column + "\" because ";
    why += index->columns.size() == 1
               ? "there is a UNIQUE constraint that depends on it."
               : "it is referenced in unique constraint UNIQUE(" + table.ColumnsOf(*index) + ").";
  }
  throw duckdb::CatalogException(why + Remedy(table, *at, *index));
}

IndexSpec ToIndexSpec(const duckdb::CreateIndexInfo& info, const TableDefinition& table) {
  CheckOptions(info, table);
  IndexSpec spec{
      .name = info.index_name, .columns = {}, .unique = info.constraint_type == duckdb::IndexConstraintType::UNIQUE};
  for (const auto& expression : info.parsed_expressions) {
    if (expression->GetExpressionType() == duckdb::ExpressionType::COLUMN_REF) {
      spec.columns.push_back(expression->Cast<duckdb::ColumnRefExpression>().GetColumnName());
    } else {
      AddExpression(ReadIndexExpression(Where(spec, table), expression->ToString(), table), &spec);
    }
  }
  return spec;
}

duckdb::unique_ptr<duckdb::LogicalOperator> PlanCreateIndex(duckdb::Binder& binder, duckdb::CreateIndexInfo& info,
                                                            SqlTable& table,
                                                            duckdb::unique_ptr<duckdb::LogicalOperator> plan) {
  const TableDefinition& definition = table.table()->definition();
  table.catalog.Cast<SqlCatalog>().CheckMayDefine();
  CheckOptions(info, definition);
  IndexSpec spec{
      .name = info.index_name, .columns = {}, .unique = info.constraint_type == duckdb::IndexConstraintType::UNIQUE};
  const auto& get = plan->Cast<duckdb::LogicalGet>();
  duckdb::IndexBinder index_binder(binder, binder.context);
  for (auto& expression : info.expressions) {
    const std::string text = CheckText(definition.name, table.GetColumns(), *expression);
    const auto bound = index_binder.Bind(expression);
    if (bound->GetExpressionType() == duckdb::ExpressionType::BOUND_COLUMN_REF) {
      const auto position = bound->Cast<duckdb::BoundColumnRefExpression>().binding.column_index;
      const auto stored = StoredColumn(definition, get.GetColumnIds()[position]);
      if (!stored) RefuseGenerated(spec, definition, text);
      spec.columns.push_back(definition.columns[*stored].name);
      continue;
    }
    ReadExpression read = ReadIndexExpression(Where(spec, definition), text, definition);
    CheckReadsAlike(Where(spec, definition), read, definition, *bound, get);
    AddExpression(std::move(read), &spec);
  }
  return duckdb::make_uniq<LogicalCreateSqlIndex>(table.shared_from_this(), std::move(spec), info.on_conflict);
}

namespace {

void CheckMade(const duckdb::ClientContext& context, const arrow::Status& made) {
  if (context.interrupted) throw duckdb::InterruptException();
  Check(made);
}

}  // namespace

void MakeIndex(duckdb::ClientContext& context, SqlSchema& schema, const std::string& table, const IndexSpec& spec,
               duckdb::OnCreateConflict on_conflict) {
  SqlTransaction& transaction = SqlTransaction::Of(context, schema.catalog);
  if (transaction.FindTableOfIndex(schema.name, spec.name) != nullptr) {
    if (on_conflict == duckdb::OnCreateConflict::IGNORE_ON_CONFLICT) return;
    throw duckdb::CatalogException::EntryAlreadyExists(duckdb::CatalogType::INDEX_ENTRY, spec.name);
  }
  const auto entry = transaction.Find(schema.name, table);
  // A statement of its own makes it beside writers; others in their transaction.
  const bool is_alone = SqlTransaction::IsOfOneStatement(context) && transaction.impl().catalog_changes().empty();
  if (is_alone) {
    const auto& database = schema.catalog.Cast<SqlCatalog>().database();
    return CheckMade(context, CreateIndexOnline(database, entry, spec, UntilInterrupted(context)));
  }
  const std::lock_guard writing(transaction.write_mutex());
  CheckMade(context, transaction.impl().AlterTable(entry, CreateIndex{spec}, UntilInterrupted(context)));
}

}  // namespace yarrow::sql
