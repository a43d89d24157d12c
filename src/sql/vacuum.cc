#include "sql/vacuum.h"

#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_vacuum.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flush/vacuum.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"

namespace yarrow::sql {
namespace {

// What is to be vacuumed: a table or, null, all of the catalog's.
struct VacuumTarget {
  SqlCatalog* catalog;
  std::shared_ptr<SqlTable> table;
};

arrow::Status VacuumAll(SqlCatalog& catalog, uint64_t sequence,
                        const std::function<arrow::Status(int64_t)>& on_progress) {
  const std::shared_ptr<DatabaseImpl>& database = catalog.database();
  std::vector<std::shared_ptr<TableImpl>> tables;
  for (const auto& entry : database->catalog().Tables()) {
    if (entry->definition->kind == TableKind::kSystem) continue;
    ARROW_ASSIGN_OR_RAISE(auto table, TableImpl::Make(database, entry, catalog.user()));
    tables.push_back(std::move(table));
  }
  return VacuumTables(database.get(), tables, sequence, on_progress);
}

// Gives no row.
class PhysicalVacuum : public duckdb::PhysicalOperator {
 public:
  PhysicalVacuum(duckdb::PhysicalPlan& plan, VacuumTarget target)
      : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, {duckdb::LogicalType::BOOLEAN}, 1),
        target_(std::move(target)) {}

  bool IsSource() const override { return true; }

  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext& context, duckdb::DataChunk&,
                                           duckdb::OperatorSourceInput&) const override {
    duckdb::ClientContext& client = context.client;
    const auto on_progress = [&](int64_t) {
      return client.interrupted ? arrow::Status::Cancelled("cancelled") : arrow::Status::OK();
    };
    SqlTransaction& transaction = SqlTransaction::Of(client, *target_.catalog);
    transaction.DropMovedRowsAfterwards();  // what its own snapshot keeps
    const uint64_t sequence = target_.catalog->database()->store()->LatestSequence();
    const arrow::Status status = target_.table ? VacuumTable(target_.table->table(), sequence, on_progress)
                                               : VacuumAll(*target_.catalog, sequence, on_progress);
    if (client.interrupted) throw duckdb::InterruptException();
    Check(status);
    return duckdb::SourceResultType::FINISHED;
  }

 private:
  const VacuumTarget target_;
};

class LogicalVacuumOfOurs : public duckdb::LogicalExtensionOperator {
 public:
  explicit LogicalVacuumOfOurs(VacuumTarget target) : target_(std::move(target)) {}

  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    return planner.Make<PhysicalVacuum>(target_);
  }
  duckdb::idx_t EstimateCardinality(duckdb::ClientContext&) override { return 1; }
  duckdb::string GetName() const override { return "YARROW_VACUUM"; }
  duckdb::string GetExtensionName() const override { return "yarrow"; }
  bool SupportSerialization() const override { return false; }
  bool RequireOptimizer() const override { return false; }

 protected:
  void ResolveTypes() override { types = {duckdb::LogicalType::BOOLEAN}; }

 private:
  const VacuumTarget target_;
};

duckdb::unique_ptr<duckdb::LogicalOperator> PlanVacuum(duckdb::ClientContext& context, duckdb::Binder& binder,
                                                       VacuumTarget target) {
  binder.GetStatementProperties().RegisterDBModify(*target.catalog, context, duckdb::DatabaseModificationType());
  return duckdb::make_uniq<LogicalVacuumOfOurs>(std::move(target));
}

// There are no statistics to gather: those of segments are in their files.
duckdb::unique_ptr<duckdb::LogicalOperator> PlanAnalyze() {
  duckdb::VacuumOptions nothing;
  nothing.analyze = true;
  return duckdb::make_uniq<duckdb::LogicalVacuum>(duckdb::make_uniq<duckdb::VacuumInfo>(nothing));
}

// The catalog that is to be vacuumed; null: none of ours.
SqlCatalog* CatalogOf(duckdb::ClientContext& context, duckdb::LogicalVacuum& vacuum) {
  if (vacuum.HasTable()) return dynamic_cast<SqlCatalog*>(&vacuum.GetTable().catalog);
  const std::string name = duckdb::DatabaseManager::GetDefaultDatabase(context);
  return dynamic_cast<SqlCatalog*>(&duckdb::Catalog::GetCatalog(context, name));
}

void ReplaceVacuum(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  if (!statement.plan || statement.plan->type != duckdb::LogicalOperatorType::LOGICAL_VACUUM) return;
  auto& vacuum = statement.plan->Cast<duckdb::LogicalVacuum>();
  SqlCatalog* catalog = CatalogOf(input.context, vacuum);
  if (catalog == nullptr) return;
  if (!vacuum.GetInfo().options.vacuum) {
    statement.plan = PlanAnalyze();
    return;
  }
  auto* table = vacuum.HasTable() ? dynamic_cast<SqlTable*>(&vacuum.GetTable()) : nullptr;
  auto shared = table == nullptr ? nullptr : table->shared_from_this();
  statement.plan = PlanVacuum(input.context, input.binder, {catalog, std::move(shared)});
}

}  // namespace

void RegisterVacuum(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = ReplaceVacuum;
  duckdb::PlannerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
