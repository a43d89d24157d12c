// What we know about a connection beside DuckDB's own knowledge. DuckDB keeps one for each connection that planned a
// statement while Yarrow was known to its instance.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

class ConnectionState : public duckdb::ClientContextState {
 public:
  static duckdb::shared_ptr<ConnectionState> Of(duckdb::ClientContext& context);

  void QueryBegin(duckdb::ClientContext& context) override;
  void QueryEnd(duckdb::ClientContext& context, duckdb::optional_ptr<duckdb::ErrorData> error) override;
  void TransactionBegin(duckdb::MetaTransaction& transaction, duckdb::ClientContext& context) override;

  // Whether the latest plan reads what cannot be read twice, such as a pipe or a stream of the caller.
  std::atomic<bool> reads_once{false};
  // Whether the latest plan fills several tables by one statement.
  std::atomic<bool> fills_tables{false};
  // DuckDB forgets a cancel that comes just before a statement begins. With this it holds for those that follow.
  std::atomic<bool> cancels_next{false};
  // Cancels of a statement so far.
  std::atomic<uint64_t> cancels{0};
  // What ended the tasks of the running query, once it has rows on their way (KeepTaskErrors); empty: nothing.
  duckdb::ErrorData task_error;
  // What yarrow_ingest() reads; null: nothing.
  ArrowArrayStream* ingested = nullptr;
  // The error that made the open transaction one that can only be rolled back; empty: none.
  std::string failure;
};

}  // namespace yarrow::sql
