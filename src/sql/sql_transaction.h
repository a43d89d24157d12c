// One DuckDB transaction on an attached database, and who makes them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"
#include "store/home_process.h"
#include "store/write_set.h"
#include "write/transaction_impl.h"

namespace yarrow::sql {

// Reads and writes through a TransactionImpl, begun with the first statement that touches the database. Catalog
// lookups come from the thread that plans; scans in other threads use what a statement took at its start.
class SqlTransaction : public duckdb::Transaction {
 public:
  SqlTransaction(duckdb::TransactionManager& manager, duckdb::ClientContext& context, SqlCatalog& catalog);

  static SqlTransaction& Of(duckdb::ClientContext& context, duckdb::Catalog& catalog);

  TransactionImpl& impl() { return *impl_; }
  // The version of the schemas and tables that it sees; none when it alone sees them so, because it has changed them,
  // has made segments or began beside a commit of changes.
  std::optional<uint64_t> catalog_version() const;

  // Whether the statement is its only one: it is made and ended with it.
  static bool IsOfOneStatement(const duckdb::ClientContext& context);

  // Held by whoever adds writes: COPY FROM DATABASE fills several tables at once.
  std::mutex& write_mutex() { return write_mutex_; }

  // What a statement reads: the writes of the statements before it, and none of its own however late it looks.
  WriteSet::View StatementView();

  // It flushes a table. The rows that moved are still seen by its own snapshot: they are dropped when it is over.
  void DropMovedRowsAfterwards() { has_moved_rows_ = true; }
  bool has_moved_rows() const { return has_moved_rows_; }

  // Keeps an entry that DuckDB has a reference to.
  SqlTable& Pin(std::shared_ptr<SqlTable> table);
  // Likewise the entry of a view or macro, which is the same each time.
  duckdb::StandardEntry& Pin(SqlSchema& schema, const std::shared_ptr<const ObjectEntry>& object);

  // Likewise an entry that is of one moment.
  duckdb::StandardEntry& PinShown(std::shared_ptr<duckdb::StandardEntry> entry);

  const std::string& database_name() const { return catalog_.GetName(); }

  // A schema as this transaction sees it; null when there is none.
  std::shared_ptr<const SchemaEntry> FindSchema(const std::string& name);
  std::vector<std::shared_ptr<const SchemaEntry>> Schemas();
  // The definition of a table as this transaction sees it; null when there is none.
  std::shared_ptr<const TableEntry> Find(const std::string& schema, const std::string& name);
  std::vector<std::shared_ptr<const TableEntry>> Tables(const std::string& schema);
  // The table that has an index of that name: likewise.
  std::shared_ptr<const TableEntry> FindTableOfIndex(const std::string& schema, const std::string& name);
  // Views and macros: likewise.
  std::shared_ptr<const ObjectEntry> FindObject(ObjectKind kind, const std::string& schema, const std::string& name);
  std::vector<std::shared_ptr<const ObjectEntry>> Objects(const std::string& schema);

 private:
  SqlCatalog& catalog_;
  std::mutex write_mutex_;
  std::mutex mutex_;
  std::shared_ptr<const CatalogView> catalog_view_;  // of its snapshot, but for changes that were being committed
  bool is_view_exact_ = false;
  std::unique_ptr<TransactionImpl, DeleteAtHome> impl_;
  duckdb::transaction_t view_query_ = duckdb::MAXIMUM_QUERY_ID;  // the statement that view_ is of
  WriteSet::View view_;
  std::map<const SqlTable*, std::shared_ptr<SqlTable>> pinned_;
  std::map<std::shared_ptr<const ObjectEntry>, std::shared_ptr<duckdb::StandardEntry>> pinned_objects_;
  duckdb::transaction_t shown_query_ = duckdb::MAXIMUM_QUERY_ID;  // the statement that shown_ is of
  std::vector<std::shared_ptr<duckdb::StandardEntry>> shown_;
  std::atomic<bool> has_moved_rows_{false};
};

class SqlTransactionManager : public duckdb::TransactionManager {
 public:
  SqlTransactionManager(duckdb::AttachedDatabase& attached, SqlCatalog& catalog)
      : TransactionManager(attached), catalog_(catalog) {}

  duckdb::Transaction& StartTransaction(duckdb::ClientContext& context) override;
  duckdb::ErrorData CommitTransaction(duckdb::ClientContext& context, duckdb::Transaction& transaction) override;
  void RollbackTransaction(duckdb::Transaction& transaction) override;
  void Checkpoint(duckdb::ClientContext& context, bool force) override;

 private:
  SqlCatalog& catalog_;
  std::mutex mutex_;
  std::unordered_map<duckdb::Transaction*, std::unique_ptr<SqlTransaction>> running_;
};

}  // namespace yarrow::sql
