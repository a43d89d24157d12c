// Whoever runs statements for a caller runs an autocommit statement again that lost a race against another transaction.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace duckdb {
class ClientContext;
struct DBConfig;
}  // namespace duckdb

namespace yarrow::sql {

// For one statement: made before it runs, asked after each time that it failed. The statement must not have handed out
// anything of its result, which is so for all that write: DuckDB commits them before it shows their result.
class StatementRetry {
 public:
  explicit StatementRetry(duckdb::ClientContext& context);

  // Whether to run the statement again, after a wait: it was a transaction of its own, the error says that another
  // transaction was first, the statement's input can be read once more, nobody cancelled, and the time is not up.
  bool ShouldRunAgain(std::string_view error);

 private:
  duckdb::ClientContext& context_;
  const bool is_autocommit_;
  const uint64_t cancels_;
  const std::chrono::steady_clock::time_point start_;
  int failures_ = 0;
};

// Of a statement that was prepared: what ConnectionState says of a plan right after planning, and what it must say
// again before the plan runs.
bool ReadsOnce(duckdb::ClientContext& context);
void SetReadsOnce(duckdb::ClientContext& context, bool reads_once);

// For whoever interrupts the connection: its statement is not to be run again either.
void TellOfCancel(duckdb::ClientContext& context);

// Interrupts the connection, for good: a statement that is about to begin is cancelled as well. From any thread.
void CancelFromNowOn(duckdb::Connection& connection);
void EndCancel(duckdb::Connection& connection);

// Lets ConnectionState know what plans read.
void RegisterStatementRetry(duckdb::DBConfig& config);

}  // namespace yarrow::sql
