#include "sql/statement_retry.h"

#include <duckdb/execution/operator/scan/physical_table_scan.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/main/prepared_statement_data.hpp>
#include <duckdb/planner/operator/logical_execute.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <thread>

#include "sql/connection_state.h"
#include "sql/sql_error.h"

namespace yarrow::sql {
namespace {

using Clock = std::chrono::steady_clock;

// Under a load that never lets a statement through, its caller gets the error after that time.
constexpr auto kLongest = std::chrono::seconds(10);
constexpr auto kShortestWait = std::chrono::microseconds(100);
constexpr int kDoublings = 8;  // of the wait

// Table functions that give the same rows when they are called again. Whatever is not here may read a pipe.
bool GivesRowsAgain(const std::string& function) {
  static const std::set<std::string, std::less<>> names = {"generate_series", "range",  "repeat",     "repeat_row",
                                                           "seq_scan",        "unnest", "yarrow_scan"};
  return names.contains(function) || function.starts_with("duckdb_") || function.starts_with("pragma_");
}

bool ReadsOnlyOnce(const duckdb::PhysicalOperator& op) {
  if (op.type == duckdb::PhysicalOperatorType::TABLE_SCAN) {
    return !GivesRowsAgain(op.Cast<duckdb::PhysicalTableScan>().function.name);
  }
  for (const auto& child : op.children) {
    if (ReadsOnlyOnce(child.get())) return true;
  }
  return false;
}

bool ReadsOnlyOnce(const duckdb::LogicalOperator& op) {
  switch (op.type) {
    case duckdb::LogicalOperatorType::LOGICAL_GET:
      if (!GivesRowsAgain(op.Cast<duckdb::LogicalGet>().function.name)) return true;
      break;
    case duckdb::LogicalOperatorType::LOGICAL_EXECUTE: {
      if (!op.children.empty()) break;  // planned anew
      const auto& prepared = *op.Cast<duckdb::LogicalExecute>().prepared;
      if (!prepared.physical_plan || ReadsOnlyOnce(prepared.physical_plan->Root())) return true;
      break;
    }
    case duckdb::LogicalOperatorType::LOGICAL_COPY_TO_FILE:
    case duckdb::LogicalOperatorType::LOGICAL_COPY_DATABASE:
    case duckdb::LogicalOperatorType::LOGICAL_EXPORT:
      return true;
    default:
      break;
  }
  return std::ranges::any_of(op.children, [](const auto& child) { return ReadsOnlyOnce(*child); });
}

void NoteReads(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  SetReadsOnce(input.context, !statement.plan || ReadsOnlyOnce(*statement.plan));
}

// Between half of it and all, so that those who met once do not meet again.
std::chrono::microseconds WaitAfter(int failures) {
  thread_local std::minstd_rand random(std::random_device{}());
  const auto most = kShortestWait * (1 << std::min(failures - 1, kDoublings));
  return std::chrono::microseconds(std::uniform_int_distribution<int64_t>(most.count() / 2, most.count())(random));
}

}  // namespace

StatementRetry::StatementRetry(duckdb::ClientContext& context)
    : context_(context),
      is_autocommit_(context.transaction.IsAutoCommit()),
      cancels_(ConnectionState::Of(context)->cancels),
      start_(Clock::now()) {}

bool StatementRetry::ShouldRunAgain(std::string_view error) {
  if (!is_autocommit_ || !IsConflictMessage(error) || context_.transaction.HasActiveTransaction()) return false;
  const auto state = ConnectionState::Of(context_);
  if (state->reads_once || Clock::now() - start_ > kLongest) return false;
  std::this_thread::sleep_for(WaitAfter(++failures_));
  return state->cancels == cancels_;
}

bool ReadsOnce(duckdb::ClientContext& context) {
  return ConnectionState::Of(context)->reads_once;
}

void SetReadsOnce(duckdb::ClientContext& context, bool reads_once) {
  ConnectionState::Of(context)->reads_once = reads_once;
}

void TellOfCancel(duckdb::ClientContext& context) {
  ++ConnectionState::Of(context)->cancels;
}

void CancelFromNowOn(duckdb::Connection& connection) {
  ConnectionState::Of(*connection.context)->cancels_next = true;
  TellOfCancel(*connection.context);
  connection.Interrupt();
}

void EndCancel(duckdb::Connection& connection) {
  ConnectionState::Of(*connection.context)->cancels_next = false;
}

void RegisterStatementRetry(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = NoteReads;
  duckdb::PlannerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
