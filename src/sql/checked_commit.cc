#include "sql/checked_commit.h"

#include <duckdb/execution/operator/helper/physical_transaction.hpp>
#include <duckdb/main/valid_checker.hpp>
#include <duckdb/parser/parsed_data/transaction_info.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_simple.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <string>
#include <utility>

#include "sql/connection_state.h"

namespace yarrow::sql {
namespace {

class CheckedCommit : public duckdb::PhysicalTransaction {
 public:
  using PhysicalTransaction::PhysicalTransaction;

  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext& context, duckdb::DataChunk& chunk,
                                           duckdb::OperatorSourceInput& input) const override {
    duckdb::ClientContext& client = context.client;
    if (!client.transaction.HasActiveTransaction() ||
        !duckdb::ValidChecker::IsInvalidated(client.ActiveTransaction())) {
      return PhysicalTransaction::GetDataInternal(context, chunk, input);
    }
    const std::string failure = std::exchange(ConnectionState::Of(client)->failure, {});
    duckdb::ErrorData error(duckdb::ExceptionType::TRANSACTION,
                            duckdb::ValidChecker::InvalidatedMessage(client.ActiveTransaction()));
    client.transaction.Rollback(error);
    throw duckdb::TransactionException(
        "nothing was committed: the transaction was rolled back, because a statement in "
        "it failed" +
        (failure.empty() ? std::string() : " (" + failure + ")"));
  }
};

// The statement of the parser, planned as the operator above.
class LogicalCommit : public duckdb::LogicalExtensionOperator {
 public:
  explicit LogicalCommit(duckdb::unique_ptr<duckdb::ParseInfo> info) : info_(std::move(info)) {}

  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    auto info = duckdb::unique_ptr_cast<duckdb::ParseInfo, duckdb::TransactionInfo>(std::move(info_));
    return planner.Make<CheckedCommit>(std::move(info), estimated_cardinality);
  }
  duckdb::idx_t EstimateCardinality(duckdb::ClientContext&) override { return 1; }
  duckdb::string GetName() const override { return "YARROW_COMMIT"; }
  duckdb::string GetExtensionName() const override { return "yarrow"; }
  bool SupportSerialization() const override { return false; }
  bool RequireOptimizer() const override { return false; }

 protected:
  void ResolveTypes() override { types = {duckdb::LogicalType::BOOLEAN}; }

 private:
  duckdb::unique_ptr<duckdb::ParseInfo> info_;
};

void CheckCommits(duckdb::PlannerExtensionInput&, duckdb::BoundStatement& statement) {
  if (!statement.plan || statement.plan->type != duckdb::LogicalOperatorType::LOGICAL_TRANSACTION) return;
  auto& simple = statement.plan->Cast<duckdb::LogicalSimple>();
  if (simple.info->Cast<duckdb::TransactionInfo>().type != duckdb::TransactionType::COMMIT) return;
  statement.plan = duckdb::make_uniq<LogicalCommit>(std::move(simple.info));
}

}  // namespace

void RegisterCheckedCommit(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = CheckCommits;
  duckdb::PlannerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
