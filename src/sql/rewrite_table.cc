#include "sql/rewrite_table.h"

#include <duckdb/parser/expression/cast_expression.hpp>
#include <duckdb/parser/expression/columnref_expression.hpp>
#include <duckdb/parser/parsed_data/alter_table_info.hpp>
#include <duckdb/parser/query_node/select_node.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_simple.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "catalog/table_schema.h"
#include "job/job.h"
#include "sql/alter_table.h"
#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/insert_operator.h"
#include "sql/object_users.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/sql_type.h"
#include "sql/struct_fields.h"
#include "sql/table_expressions.h"
#include "type/type_widening.h"

namespace yarrow::sql {
namespace {

using duckdb::AlterTableType;
using duckdb::LogicalOperator;
using duckdb::ParsedExpression;
using ParsedExpressions = duckdb::vector<duckdb::unique_ptr<ParsedExpression>>;

// The table as it becomes, and its columns as expressions over those that it has.
struct Rewrite {
  TableSpec spec;
  ParsedExpressions values;
};

std::string Where(const TableDefinition& table) {
  return "table " + table.QualifiedName();
}

duckdb::unique_ptr<ParsedExpression> Reference(const std::string& column) {
  return duckdb::make_uniq<duckdb::ColumnRefExpression>(column);
}

// The same table.
Rewrite Unchanged(const TableDefinition& table) {
  Rewrite same;
  TableSpec& spec = same.spec;
  spec.schema_name = table.schema_name;
  spec.name = table.name;
  spec.kind = table.kind;
  spec.policy = table.policy;
  spec.generated_columns = table.generated_columns;
  spec.checks = table.checks;
  spec.comment = table.comment;
  for (size_t i = 0; i < table.visible_columns(); ++i) {
    const ColumnDefinition& column = table.columns[i];
    spec.columns.push_back({.name = column.name,
                            .type = column.type,
                            .nullable = column.nullable,
                            .default_value = column.default_value,
                            .default_expression = column.default_expression,
                            .comment = column.comment,
                            .collation = column.collation});
    same.values.push_back(Reference(column.name));
  }
  for (const IndexDefinition& index : table.indexes) {
    if (index.is_building) continue;  // whoever builds it finds the table gone
    IndexSpec copy{.name = index.name, .columns = {}, .unique = index.unique, .comment = index.comment};
    if (index.references) copy.references = {index.references->table_name, index.references->column_names};
    const auto name_of = [&](uint32_t id) { return std::ranges::find(table.columns, id, &ColumnDefinition::id)->name; };
    for (const uint32_t id : index.columns) copy.columns.push_back(id == 0 ? std::string() : name_of(id));
    copy.expressions = index.expressions;
    for (const uint32_t id : index.expression_columns) copy.expression_columns.push_back(name_of(id));
    spec.indexes.push_back(std::move(copy));
  }
  for (const uint32_t id : table.primary_key) {
    const auto column = std::ranges::find(table.columns, id, &ColumnDefinition::id);
    if (!column->hidden) spec.primary_key.push_back(column->name);
  }
  return same;
}

std::optional<size_t> Find(const TableSpec& spec, const std::string& column) {
  const auto at =
      std::ranges::find_if(spec.columns, [&](const ColumnSpec& one) { return FoldCase(one.name) == FoldCase(column); });
  if (at == spec.columns.end()) return std::nullopt;
  return static_cast<size_t>(at - spec.columns.begin());
}

// Null: there is none, or it is generated.
const ColumnDefinition* FindColumn(const TableDefinition& table, const std::string& name) {
  const auto at = std::ranges::find_if(
      table.columns, [&](const ColumnDefinition& one) { return !one.hidden && FoldCase(one.name) == FoldCase(name); });
  return at == table.columns.end() ? nullptr : &*at;
}

// The default of a column that gets another type.
Value ConvertDefault(const TableDefinition& table, const ColumnSpec& column, const ColumnType& type) {
  if (column.default_value.is_null()) return {};
  duckdb::Value value = ToDuckDb(column.default_value, column.type);
  if (!value.DefaultTryCastAs(ToLogicalType(type))) {
    throw duckdb::BinderException(Where(table) + ": column " + column.name + ": its default " +
                                  column.default_value.ToString(column.type) + " cannot be cast to " + type.ToString() +
                                  "; DROP DEFAULT first");
  }
  return Check(FromDuckDb(value, type));
}

void CheckNotInKey(const TableDefinition& table, const ColumnDefinition& column) {
  if (std::ranges::count(table.primary_key, column.id) == 0) return;
  throw duckdb::BinderException(
      "Cannot change the type of a column that has a UNIQUE or PRIMARY KEY constraint specified: column %s of %s",
      column.name, Where(table));
}

std::optional<Rewrite> WithType(const TableDefinition& table, const std::string& name,
                                const duckdb::LogicalType& declared, duckdb::unique_ptr<ParsedExpression> value) {
  Rewrite rewrite = Unchanged(table);
  const auto at = Find(rewrite.spec, name);
  if (!at) return std::nullopt;
  AfterTypeChange(table, name);
  CheckNotInKey(table, table.columns[*at]);
  CheckTypeMayChange(table, table.columns[*at]);
  ColumnSpec& column = rewrite.spec.columns[*at];
  const ColumnType type = DeclaredType(Where(table) + ": column " + column.name, declared);
  column.default_value = ConvertDefault(table, column, type);
  column.type = type;
  column.collation = CollationOf(declared);
  rewrite.values[*at] = std::move(value);
  return rewrite;
}

std::optional<Rewrite> OfTypeChange(duckdb::ClientContext& context, const TableDefinition& table,
                                    duckdb::ChangeColumnTypeInfo& info) {
  const ColumnDefinition* const column = FindColumn(table, info.column_name);
  if (column == nullptr) return std::nullopt;
  if (IsPlainCast(context, info)) {
    const auto type = FromLogicalType(info.target_type);
    if (type.ok() && *type == column->type) return std::nullopt;
    CheckNotInKey(table, *column);
    CheckTypeMayChange(table, *column);
    if (type.ok() && IsWidening(column->type, *type)) return std::nullopt;
  }
  auto value = info.expression ? info.expression->Copy()
                               : duckdb::make_uniq_base<ParsedExpression, duckdb::CastExpression>(
                                     info.target_type, Reference(column->name));
  return WithType(table, column->name, info.target_type, std::move(value));
}

std::optional<Rewrite> OfFieldChange(const TableDefinition& table, const duckdb::AlterTableInfo& info) {
  const ColumnDefinition* const column = FindColumn(table, *ColumnOfFieldChange(info));
  if (column == nullptr) return std::nullopt;
  auto remade = ChangeField(ToLogicalType(column->type), info);
  if (!remade) return std::nullopt;
  return WithType(table, column->name, remade->type, std::move(remade->value));
}

// One whose default has another value for each row that is there.
std::optional<Rewrite> OfNewColumn(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                                   const TableDefinition& table, const duckdb::AddColumnInfo& info) {
  const duckdb::ColumnDefinition& column = info.new_column;
  Rewrite rewrite = Unchanged(table);
  const bool is_plain = column.Generated() || !column.HasDefaultValue() || Find(rewrite.spec, column.Name());
  if (is_plain || !IsVolatileDefault(context, schema, column)) return std::nullopt;
  rewrite.spec.columns.push_back(MakeColumnSpec(context, schema, table.QualifiedName(), column));
  rewrite.values.push_back(column.DefaultValue().Copy());
  return rewrite;
}

std::optional<Rewrite> RewriteOf(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                                 const TableDefinition& table, duckdb::AlterTableInfo& info) {
  switch (info.alter_table_type) {
    case AlterTableType::ALTER_COLUMN_TYPE:
      return OfTypeChange(context, table, info.Cast<duckdb::ChangeColumnTypeInfo>());
    case AlterTableType::ADD_FIELD:
    case AlterTableType::REMOVE_FIELD:
    case AlterTableType::RENAME_FIELD:
      return OfFieldChange(table, info);
    case AlterTableType::ADD_COLUMN:
      return OfNewColumn(context, schema, table, info.Cast<duckdb::AddColumnInfo>());
    default:
      return std::nullopt;
  }
}

// The rows on their way, and the job that says so.
struct RewriteState : public WriteState {
  RewriteState(SqlTransaction& in, std::shared_ptr<SqlTable> written, std::unique_ptr<Job> of)
      : WriteState(in, std::move(written)), job(std::move(of)) {}
  ~RewriteState() override {
    if (job) ARROW_UNUSED(job->Finish(arrow::Status::Cancelled("the statement has failed"), {.rows = taken}));
  }
  RewriteState(const RewriteState&) = delete;
  RewriteState& operator=(const RewriteState&) = delete;

  std::unique_ptr<Job> job;  // under mutex, as is
  uint64_t taken = 0;
};

class RewriteOperator : public InsertOperator {
 public:
  RewriteOperator(duckdb::PhysicalPlan& plan, duckdb::idx_t cardinality, std::shared_ptr<SqlTable> before,
                  TableSpec spec)
      : InsertOperator(plan, {duckdb::LogicalType::BOOLEAN}, cardinality, before->catalog, nullptr, false),
        before_(std::move(before)),
        spec_(std::move(spec)) {}
  duckdb::string GetName() const override { return "YARROW_REWRITE_TABLE"; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    SqlTransaction& transaction = SqlTransaction::Of(context, catalog_);
    const auto entry = transaction.Find(before_->schema.name, before_->name);
    if (entry.get() != &before_->table()->entry()) {
      throw duckdb::TransactionException("write conflict: " + Where(before_->table()->definition()) +
                                         " was altered after the statement was planned; run the transaction again");
    }
    auto job = Check(before_->table()->StartJob("rewrite"));
    transaction.impl().ReadWhole(entry);
    const auto sequences = OwnedBy(transaction, entry->definition->id);
    Check(transaction.impl().DropTable(entry));
    Check(transaction.impl().CreateTable(spec_));
    const auto made_entry = transaction.Find(spec_.schema_name, spec_.name);
    for (const auto& sequence : sequences) SetOwner(transaction, sequence, made_entry->definition->id);
    auto& schema = before_->schema.Cast<SqlSchema>();
    SqlTable& made = transaction.Pin(before_->catalog.Cast<SqlCatalog>().EntryOf(schema, made_entry));
    return MakeState<RewriteState>(context, made.shared_from_this(), std::move(job));
  }

  duckdb::SinkResultType Sink(duckdb::ExecutionContext& context, DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override {
    auto& state = input.global_state.Cast<RewriteState>();
    {
      const std::lock_guard guard(state.mutex);
      state.taken += chunk.size();
      Check(state.job->Report({.rows = state.taken}));
    }
    return InsertOperator::Sink(context, chunk, input);
  }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline& pipeline, duckdb::Event& event, ClientContext& context,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    try {
      InsertOperator::Finalize(pipeline, event, context, input);
    } catch (const duckdb::ConstraintException& exception) {
      const std::string text = duckdb::ErrorData(exception).RawMessage();
      throw duckdb::ConstraintException("Data contains duplicates on indexed column(s). " +
                                        text.substr(0, text.find(" Table ") - 1) + "; change or delete rows of " +
                                        Where(before_->table()->definition()) + " that share a key first");
    }
    auto& state = input.global_state.Cast<RewriteState>();
    Check(std::exchange(state.job, nullptr)->Finish(arrow::Status::OK(), {.rows = state.taken}));
    return duckdb::SinkFinalizeType::READY;
  }

 protected:
  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext&, DataChunk&,
                                           duckdb::OperatorSourceInput&) const override {
    return duckdb::SourceResultType::FINISHED;  // no row
  }

 private:
  const std::shared_ptr<SqlTable> before_;
  const TableSpec spec_;
};

class LogicalRewrite : public duckdb::LogicalExtensionOperator {
 public:
  LogicalRewrite(std::shared_ptr<SqlTable> before, TableSpec spec)
      : before_(std::move(before)), spec_(std::move(spec)) {}

  duckdb::PhysicalOperator& CreatePlan(ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    auto& rows = planner.CreatePlan(*children[0]);
    auto& rewrite = planner.Make<RewriteOperator>(children[0]->estimated_cardinality, before_, spec_);
    rewrite.children.push_back(rows);
    return rewrite;
  }
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override { return {duckdb::ColumnBinding(0, 0)}; }
  duckdb::idx_t EstimateCardinality(ClientContext&) override { return 1; }
  duckdb::string GetName() const override { return "YARROW_REWRITE_TABLE"; }
  duckdb::string GetExtensionName() const override { return "yarrow"; }
  bool SupportSerialization() const override { return false; }

 protected:
  void ResolveTypes() override { types = {duckdb::LogicalType::BOOLEAN}; }

 private:
  const std::shared_ptr<SqlTable> before_;
  const TableSpec spec_;
};

duckdb::unique_ptr<LogicalOperator> Plan(duckdb::Binder& parent, SqlTable& table, Rewrite rewrite) {
  const TableDefinition& before = table.table()->definition();
  table.catalog.Cast<SqlCatalog>().CheckMayDefine();
  CheckNotReferenced(before);
  if (before.kind == TableKind::kUser) {
    throw duckdb::NotImplementedException(Where(before) + ": the change has to write all rows anew, and a statement " +
                                          "sees those of its own user alone; make a table and let each user copy " +
                                          "their rows");
  }
  for (size_t i = 0; i < rewrite.values.size(); ++i) {
    const duckdb::LogicalType type = ToLogicalType(rewrite.spec.columns[i].type);
    rewrite.values[i] = duckdb::make_uniq<duckdb::CastExpression>(type, std::move(rewrite.values[i]));
  }
  auto node = duckdb::make_uniq<duckdb::SelectNode>();
  node->select_list = std::move(rewrite.values);
  auto from = duckdb::make_uniq<duckdb::BaseTableRef>();
  from->catalog_name = table.catalog.GetName();
  from->schema_name = table.schema.name;
  from->table_name = table.name;
  node->from_table = std::move(from);
  duckdb::SelectStatement select;
  select.node = std::move(node);
  auto binder = duckdb::Binder::CreateBinder(parent.context, &parent);
  binder->SetSearchPath(table.catalog, table.schema.name);  // what defaults name
  duckdb::StatementProperties& properties = parent.GetStatementProperties();
  const duckdb::StatementProperties of_alter = properties;
  auto rows = binder->Bind(static_cast<duckdb::SQLStatement&>(select));
  properties.return_type = of_alter.return_type;  // no rows, though a SELECT is in it
  properties.output_type = of_alter.output_type;
  auto plan = duckdb::make_uniq<LogicalRewrite>(table.shared_from_this(), std::move(rewrite.spec));
  plan->children.push_back(std::move(rows.plan));
  return plan;
}

void ReplaceAlteration(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  if (!statement.plan || statement.plan->type != duckdb::LogicalOperatorType::LOGICAL_ALTER) return;
  auto* info = dynamic_cast<duckdb::AlterTableInfo*>(statement.plan->Cast<duckdb::LogicalSimple>().info.get());
  if (info == nullptr || info->catalog.empty()) return;
  auto* catalog = dynamic_cast<SqlCatalog*>(duckdb::Catalog::GetCatalogEntry(input.context, info->catalog).get());
  if (catalog == nullptr) return;
  const duckdb::EntryLookupInfo lookup(duckdb::CatalogType::TABLE_ENTRY, info->name);
  auto entry = catalog->GetEntry(input.context, info->schema, lookup, duckdb::OnEntryNotFound::RETURN_NULL);
  auto* table = dynamic_cast<SqlTable*>(entry.get());
  if (table == nullptr || table->table()->definition().kind == TableKind::kSystem) return;
  auto rewrite = RewriteOf(input.context, table->schema, table->table()->definition(), *info);
  if (rewrite) statement.plan = Plan(input.binder, *table, *std::move(rewrite));
}

}  // namespace

void RegisterTableRewrites(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = ReplaceAlteration;
  duckdb::PlannerExtension::Register(config, std::move(extension));
}

duckdb::unique_ptr<LogicalOperator> PlanAddPrimaryKey(duckdb::Binder& binder, SqlTable& table,
                                                      const duckdb::AlterTableInfo& info) {
  const TableDefinition& definition = table.table()->definition();
  const auto& constraint = info.Cast<duckdb::AddConstraintInfo>().constraint->Cast<duckdb::UniqueConstraint>();
  if (!definition.has_hidden_row_id()) {
    throw duckdb::CatalogException("table \"%s\" can have only one primary key; %s has one", table.name,
                                   Where(definition));
  }
  Rewrite rewrite = Unchanged(definition);
  for (const auto& index : constraint.GetLogicalIndexes(table.GetColumns())) {
    rewrite.spec.primary_key.push_back(table.GetColumns().GetColumn(index).Name());
  }
  return Plan(binder, table, std::move(rewrite));
}

}  // namespace yarrow::sql
