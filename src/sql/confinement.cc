#include "sql/confinement.h"

#include <duckdb/planner/operator/logical_create.hpp>
#include <duckdb/planner/operator/logical_create_index.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_set.hpp>
#include <duckdb/planner/operator/logical_simple.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <utility>

#include "sql/confined_functions.h"
#include "sql/function_fence.h"
#include "sql/segment_file_system.h"
#include "sql/sql_catalog.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

[[noreturn]] void RefuseTo(const std::string& what) {
  throw duckdb::PermissionException("a confined session cannot " + what);
}

std::string NameOf(const duckdb::TableCatalogEntry& table) {
  return table.schema.name + "." + table.name;
}

bool IsTemporary(duckdb::Catalog& catalog) {
  return catalog.IsTemporaryCatalog();
}

// The table as one of the confined database; null: a temporary one. Anything else is refused.
const SqlTable* CheckTable(duckdb::TableCatalogEntry& table, const std::string& database) {
  if (IsTemporary(table.catalog)) return nullptr;
  const auto* ours = dynamic_cast<const SqlTable*>(&table);
  if (ours != nullptr && table.catalog.GetName() == database) return ours;
  RefuseTo("use table " + NameOf(table) + " of database " + table.catalog.GetName());
}

// Rows of user tables are the user's; those of shared tables are everybody's, to read.
void CheckWrite(duckdb::TableCatalogEntry& table, const std::string& database) {
  const SqlTable* ours = CheckTable(table, database);
  if (ours == nullptr || ours->table()->definition().kind == TableKind::kUser) return;
  RefuseTo("change table " + NameOf(table) + ": it is no user table, and its rows are not the session's own");
}

void CheckGet(const duckdb::LogicalGet& get, const std::string& database) {
  if (!IsConfinedTableFunction(get.function.name)) RefuseTo("call " + get.function.name);
  if (auto table = get.GetTable()) CheckTable(*table, database);
}

void CheckCreated(const LogicalOperator& op) {
  const auto schema =
      op.type == LogicalOperatorType::LOGICAL_CREATE_TABLE
          ? duckdb::optional_ptr<duckdb::SchemaCatalogEntry>(op.Cast<duckdb::LogicalCreateTable>().schema)
          : static_cast<const duckdb::LogicalCreate&>(op).schema;
  if (!schema || !IsTemporary(schema->catalog))
    RefuseTo("create anything but temporary tables, views, macros and types");
}

void CheckChanged(const std::string& catalog) {
  if (catalog != TEMP_CATALOG) RefuseTo("alter or drop anything but its own temporary tables, views, macros and types");
}

// What one operator does. `true`: known, and its children are to be looked at.
bool IsAllowed(const LogicalOperator& op, const std::string& database) {
  switch (op.type) {
    case LogicalOperatorType::LOGICAL_PROJECTION:
    case LogicalOperatorType::LOGICAL_FILTER:
    case LogicalOperatorType::LOGICAL_AGGREGATE_AND_GROUP_BY:
    case LogicalOperatorType::LOGICAL_WINDOW:
    case LogicalOperatorType::LOGICAL_UNNEST:
    case LogicalOperatorType::LOGICAL_LIMIT:
    case LogicalOperatorType::LOGICAL_ORDER_BY:
    case LogicalOperatorType::LOGICAL_TOP_N:
    case LogicalOperatorType::LOGICAL_DISTINCT:
    case LogicalOperatorType::LOGICAL_SAMPLE:
    case LogicalOperatorType::LOGICAL_PIVOT:
    case LogicalOperatorType::LOGICAL_CHUNK_GET:
    case LogicalOperatorType::LOGICAL_DELIM_GET:
    case LogicalOperatorType::LOGICAL_EXPRESSION_GET:
    case LogicalOperatorType::LOGICAL_DUMMY_SCAN:
    case LogicalOperatorType::LOGICAL_EMPTY_RESULT:
    case LogicalOperatorType::LOGICAL_CTE_REF:
    case LogicalOperatorType::LOGICAL_JOIN:
    case LogicalOperatorType::LOGICAL_DELIM_JOIN:
    case LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
    case LogicalOperatorType::LOGICAL_ANY_JOIN:
    case LogicalOperatorType::LOGICAL_CROSS_PRODUCT:
    case LogicalOperatorType::LOGICAL_POSITIONAL_JOIN:
    case LogicalOperatorType::LOGICAL_ASOF_JOIN:
    case LogicalOperatorType::LOGICAL_DEPENDENT_JOIN:
    case LogicalOperatorType::LOGICAL_UNION:
    case LogicalOperatorType::LOGICAL_EXCEPT:
    case LogicalOperatorType::LOGICAL_INTERSECT:
    case LogicalOperatorType::LOGICAL_RECURSIVE_CTE:
    case LogicalOperatorType::LOGICAL_MATERIALIZED_CTE:
    case LogicalOperatorType::LOGICAL_EXPLAIN:
    case LogicalOperatorType::LOGICAL_TRANSACTION:
    case LogicalOperatorType::LOGICAL_PREPARE:
    case LogicalOperatorType::LOGICAL_EXECUTE:  // of what was checked when it was prepared
      return true;
    case LogicalOperatorType::LOGICAL_GET:
      CheckGet(op.Cast<duckdb::LogicalGet>(), database);
      return true;
    case LogicalOperatorType::LOGICAL_INSERT:
      CheckWrite(op.Cast<duckdb::LogicalInsert>().table, database);
      return true;
    case LogicalOperatorType::LOGICAL_DELETE:
      CheckWrite(op.Cast<duckdb::LogicalDelete>().table, database);
      return true;
    case LogicalOperatorType::LOGICAL_UPDATE:
      CheckWrite(op.Cast<duckdb::LogicalUpdate>().table, database);
      return true;
    case LogicalOperatorType::LOGICAL_MERGE_INTO:
      CheckWrite(op.Cast<duckdb::LogicalMergeInto>().table, database);
      return true;
    case LogicalOperatorType::LOGICAL_CREATE_TABLE:
    case LogicalOperatorType::LOGICAL_CREATE_SEQUENCE:
    case LogicalOperatorType::LOGICAL_CREATE_VIEW:
    case LogicalOperatorType::LOGICAL_CREATE_MACRO:
    case LogicalOperatorType::LOGICAL_CREATE_TYPE:
      CheckCreated(op);
      return true;
    case LogicalOperatorType::LOGICAL_CREATE_INDEX:
      CheckWrite(op.Cast<duckdb::LogicalCreateIndex>().table, database);
      return true;
    case LogicalOperatorType::LOGICAL_ALTER: {
      const auto& info = op.Cast<duckdb::LogicalSimple>().info->Cast<duckdb::AlterInfo>();
      CheckChanged(info.catalog);
      return info.type != duckdb::AlterType::ALTER_DATABASE;
    }
    case LogicalOperatorType::LOGICAL_DROP: {
      const auto& info = op.Cast<duckdb::LogicalSimple>().info->Cast<duckdb::DropInfo>();
      if (info.type != duckdb::CatalogType::PREPARED_STATEMENT) CheckChanged(info.catalog);
      return true;
    }
    case LogicalOperatorType::LOGICAL_SET:
      return op.Cast<duckdb::LogicalSet>().scope == duckdb::SetScope::VARIABLE;
    case LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR:
      return static_cast<const duckdb::LogicalExtensionOperator&>(op).GetExtensionName() == "yarrow";
    default:
      return false;
  }
}

// What a planner extension gets hold of.
struct Guard : public duckdb::PlannerExtensionInfo {
  explicit Guard(std::shared_ptr<Confinement> guarded) : confinement(std::move(guarded)) {}
  const std::shared_ptr<Confinement> confinement;
};

void GuardStatement(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  if (statement.plan) static_cast<const Guard&>(*input.info).confinement->CheckPlan(*statement.plan);
}

void CloseSettings(duckdb::DatabaseInstance& instance) {
  duckdb::Connection connection(instance);
  for (const char* setting :
       {"enable_external_access = false", "allow_community_extensions = false", "autoinstall_known_extensions = false",
        "autoload_known_extensions = false", "enable_logging = false", "lock_configuration = true"}) {
    const auto result = connection.Query(std::string("SET GLOBAL ") + setting);
    if (result->HasError()) result->ThrowError();
  }
}

}  // namespace

std::shared_ptr<Confinement> Confinement::Register(duckdb::DBConfig& config) {
  auto confinement = std::make_shared<Confinement>();
  duckdb::PlannerExtension extension;
  extension.post_bind_function = GuardStatement;
  extension.planner_info = duckdb::make_shared_ptr<Guard>(confinement);
  duckdb::PlannerExtension::Register(config, std::move(extension));
  return confinement;
}

void Confinement::Begin(duckdb::DatabaseInstance& instance, const std::string& database) {
  const std::lock_guard lock(mutex_);
  if (is_on()) throw duckdb::PermissionException("this DuckDB instance is confined already");
  AllowSegmentFiles(instance);
  CloseSettings(instance);
  duckdb::DBConfig::GetConfig(instance).replacement_scans.clear();
  FenceFunctions(instance);
  database_ = database;
  is_on_.store(true, std::memory_order_release);
}

void Confinement::CheckPlan(const LogicalOperator& plan) const {
  if (!is_on()) return;
  if (!IsAllowed(plan, database_)) RefuseTo("run a statement of this kind (" + plan.GetName() + ")");
  for (const auto& child : plan.children) CheckPlan(*child);
}

}  // namespace yarrow::sql
