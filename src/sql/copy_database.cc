#include "sql/copy_database.h"

#include <duckdb/planner/operator/logical_copy_database.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sql/connection_state.h"
#include "sql/create_index.h"
#include "sql/sql_catalog.h"

namespace yarrow::sql {
namespace {

// Plans share them with what is executed.
using CreateInfos = std::vector<std::shared_ptr<const duckdb::CreateInfo>>;

// The indexes of a COPY FROM DATABASE, behind the tables.
class CopyIndexesOperator : public duckdb::PhysicalOperator {
 public:
  CopyIndexesOperator(duckdb::PhysicalPlan& plan, SqlCatalog& catalog, CreateInfos infos)
      : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, {duckdb::LogicalType::BOOLEAN}, 1),
        catalog_(catalog),
        infos_(std::move(infos)) {}
  duckdb::string GetName() const override { return "YARROW_COPY_INDEXES"; }
  bool IsSink() const override { return true; }
  bool IsSource() const override { return true; }

  duckdb::SinkResultType Sink(duckdb::ExecutionContext&, duckdb::DataChunk&,
                              duckdb::OperatorSinkInput&) const override {
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }
  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&, duckdb::ClientContext& context,
                                    duckdb::OperatorSinkFinalizeInput&) const override {
    for (const auto& entry : infos_) {
      const auto& info = entry->Cast<duckdb::CreateIndexInfo>();
      auto& table = catalog_.GetEntry<duckdb::TableCatalogEntry>(context, info.schema, info.table).Cast<SqlTable>();
      MakeIndex(context, table.schema.Cast<SqlSchema>(), table.name, ToIndexSpec(info, table.table()->definition()),
                duckdb::OnCreateConflict::ERROR_ON_CONFLICT);
    }
    return duckdb::SinkFinalizeType::READY;
  }

 protected:
  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext&, duckdb::DataChunk&,
                                           duckdb::OperatorSourceInput&) const override {
    return duckdb::SourceResultType::FINISHED;  // no row
  }

 private:
  SqlCatalog& catalog_;
  const CreateInfos infos_;
};

class LogicalCopyIndexes : public duckdb::LogicalExtensionOperator {
 public:
  LogicalCopyIndexes(SqlCatalog& catalog, duckdb::vector<duckdb::unique_ptr<duckdb::CreateInfo>> infos)
      : catalog_(catalog) {
    for (auto& info : infos) infos_.emplace_back(std::move(info));
  }

  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    auto& tables = planner.CreatePlan(*children[0]);
    auto& copy = planner.Make<CopyIndexesOperator>(catalog_, infos_);
    copy.children.push_back(tables);
    return copy;
  }
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override { return {duckdb::ColumnBinding(0, 0)}; }
  duckdb::idx_t EstimateCardinality(duckdb::ClientContext&) override { return 1; }
  duckdb::string GetName() const override { return "YARROW_COPY_INDEXES"; }
  duckdb::string GetExtensionName() const override { return "yarrow"; }
  bool SupportSerialization() const override { return false; }

 protected:
  void ResolveTypes() override { types = {duckdb::LogicalType::BOOLEAN}; }

 private:
  SqlCatalog& catalog_;
  CreateInfos infos_;
};

void TakeIndexes(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  duckdb::CopyDatabaseInfo& copy = *statement.plan->Cast<duckdb::LogicalCopyDatabase>().info;
  auto* catalog =
      dynamic_cast<SqlCatalog*>(duckdb::Catalog::GetCatalogEntry(input.context, copy.target_database).get());
  if (catalog == nullptr) return;
  const auto is_index = [](const auto& info) { return info->type == duckdb::CatalogType::INDEX_ENTRY; };
  duckdb::vector<duckdb::unique_ptr<duckdb::CreateInfo>> indexes, others;
  for (auto& info : copy.entries) (is_index(info) ? indexes : others).push_back(std::move(info));
  copy.entries = std::move(others);
  if (indexes.empty()) return;
  auto plan = duckdb::make_uniq<LogicalCopyIndexes>(*catalog, std::move(indexes));
  plan->children.push_back(std::move(statement.plan));
  statement.plan = std::move(plan);
}

// The rows of several tables: DuckDB makes one plan of an INSERT for each.
bool HasSeveralInserts(const duckdb::LogicalOperator& plan) {
  return plan.type == duckdb::LogicalOperatorType::LOGICAL_UNION &&
         std::ranges::all_of(plan.children, [](const auto& child) {
           return child->type == duckdb::LogicalOperatorType::LOGICAL_INSERT || HasSeveralInserts(*child);
         });
}

void TakePlan(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  ConnectionState::Of(input.context)->fills_tables = statement.plan && HasSeveralInserts(*statement.plan);
  if (statement.plan && statement.plan->type == duckdb::LogicalOperatorType::LOGICAL_COPY_DATABASE) {
    TakeIndexes(input, statement);
  }
}

}  // namespace

void RegisterDatabaseCopies(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = TakePlan;
  duckdb::PlannerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
