// Database: one directory of tables. Session: somebody's view of it.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "yarrow/check.h"
#include "yarrow/jobs.h"
#include "yarrow/store.h"
#include "yarrow/table.h"
#include "yarrow/table_alteration.h"
#include "yarrow/table_definition.h"
#include "yarrow/transaction.h"

namespace yarrow {

class DatabaseImpl;
class Session;

struct SessionOptions {
  // Whose rows of user tables this session reads and writes. Yarrow records the name and keeps users apart; who may act
  // as whom is the program's business. Empty: no user; user tables are then closed to the session.
  std::string user;
};

// Thread-safe. Sessions, tables and scans keep it open.
class Database {
 public:
  // As Store::Open, with its errors. As long as it or a session is open, tables are flushed, compacted and expired in
  // the background as their TierPolicy says, see also the settings background_jobs and hot_tier_budget.
  static arrow::Result<std::shared_ptr<Database>> Open(const std::filesystem::path& path,
                                                       const StoreOptions& options = {});
  ~Database();

  arrow::Result<std::shared_ptr<Session>> OpenSession(const SessionOptions& options = {});

  arrow::Status CreateSchema(std::string_view name);
  arrow::Status DropSchema(std::string_view name);  // must be empty
  std::vector<std::string> Schemas() const;         // sorted; "main" and "system" always exist

  // AlreadyExists, Invalid (naming table and column) or KeyError (unknown schema) otherwise.
  arrow::Result<std::shared_ptr<const TableDefinition>> CreateTable(const TableSpec& spec);
  // Changes its definition and none of its rows, in one commit: whoever opens the table from then on reads all of them
  // as the new definition says. Returns that; the present one when the change changes nothing. Running scans and
  // snapshots from before keep the old one. Table objects opened before stay with theirs: what they read of later
  // states and what they write is an error for which IsConflict() is true, and so is the commit of a transaction that
  // wrote through one. KeyError (no such table or column), AlreadyExists (the new name is taken), Invalid, or
  // NotImplemented (a change of type that would have to rewrite rows), all naming table and column.
  arrow::Result<std::shared_ptr<const TableDefinition>> AlterTable(std::string_view qualified_name,
                                                                   const TableAlteration& alteration);
  // Its rows go too, and sequences that it owns, unless an expression of another table may name them. Running scans
  // keep their snapshot; later writes through open Table objects fail.
  arrow::Status DropTable(std::string_view qualified_name);
  // KeyError, naming tables of similar name, when there is none.
  arrow::Result<std::shared_ptr<const TableDefinition>> FindTable(std::string_view qualified_name) const;
  // All tables, system tables included, by schema and name.
  std::vector<std::shared_ptr<const TableDefinition>> Tables() const;

  // Changes a setting of system.settings; errors name the known ones and the values they take.
  arrow::Status SetSetting(std::string_view name, std::string_view value);

  // Reads everything there is and says what is wrong with it; see yarrow/check.h. Writers go on meanwhile.
  arrow::Result<CheckReport> Check(const DatabaseCheckOptions& options = {});

  // The listener is told of each job from now on, until RemoveListener.
  void AddJobListener(std::shared_ptr<JobListener> listener);
  void RemoveJobListener(const JobListener* listener);
  // Ends a job of system.jobs at its next step. KeyError when it is not under way (any more).
  arrow::Status CancelJob(uint64_t job_id);

  Snapshot GetSnapshot() const;
  // Merges all files of the hot tier into one sorted level.
  arrow::Status CompactHotTier();
  // Removes the files of segments that were merged or whose table was dropped, once no snapshot, scan or transaction
  // reads them and the setting deleted_file_retention lets them go. Flushes, compactions, DROP and Open do it, too; a
  // program that runs long and does none of these calls it now and then. Returns how many files went.
  arrow::Result<int64_t> RemoveDeletedFiles();
  const std::shared_ptr<Store>& store() const;

 private:
  friend struct DatabaseAccess;
  explicit Database(std::shared_ptr<DatabaseImpl> impl);
  std::shared_ptr<DatabaseImpl> impl_;
};

// Thread-safe. The acting user never changes.
class Session {
 public:
  ~Session();
  const std::string& user() const;
  // "table" (of schema main) or "schema.table". Any table can be opened; without an acting user each operation on a
  // user table is an error.
  arrow::Result<std::shared_ptr<Table>> OpenTable(std::string_view qualified_name);
  // Makes a table of all rows of the reader, as Table::BulkLoad does it. Nobody sees the table before it is complete;
  // after an error or a crash there is none. Returns the number of rows. Errors are those of CreateTable and BulkLoad;
  // AlreadyExists, too, when a table of that name has come meanwhile.
  arrow::Result<int64_t> CreateTableAs(const TableSpec& spec, arrow::RecordBatchReader* reader,
                                       const BulkLoadOptions& options = {});
  arrow::Result<std::unique_ptr<Transaction>> Begin();

 private:
  friend class Database;
  Session(std::shared_ptr<DatabaseImpl> database, std::string user);
  std::shared_ptr<DatabaseImpl> database_;
  std::string user_;
};

}  // namespace yarrow
