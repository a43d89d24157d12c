// An attached database as DuckDB sees it: its catalog, schemas and tables.
//
// DuckDB keeps references to the entries it looks up for as long as the transaction lives, and prepared plans keep them
// longer. So an entry never changes; a table has one for each version of its definition, which transactions and plans
// that use it share with the catalog.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "catalog/schema_object.h"
#include "sql/duckdb_api.h"
#include "table/database_impl.h"
#include "table/table_impl.h"
#include "yarrow/database.h"

namespace yarrow::sql {

class SqlSchema;
class SqlTransaction;

class SqlTable : public duckdb::TableCatalogEntry, public std::enable_shared_from_this<SqlTable> {
 public:
  static std::shared_ptr<SqlTable> Make(duckdb::Catalog& catalog, SqlSchema& schema, std::shared_ptr<TableImpl> table);

  const std::shared_ptr<TableImpl>& table() const { return table_; }

  duckdb::unique_ptr<duckdb::BaseStatistics> GetStatistics(duckdb::ClientContext& context,
                                                           duckdb::column_t column_id) override;
  duckdb::TableFunction GetScanFunction(duckdb::ClientContext& context,
                                        duckdb::unique_ptr<duckdb::FunctionData>& bind_data) override;
  duckdb::TableStorageInfo GetStorageInfo(duckdb::ClientContext& context) override;
  void BindUpdateConstraints(duckdb::Binder& binder, duckdb::LogicalGet& get, duckdb::LogicalProjection& projection,
                             duckdb::LogicalUpdate& update, duckdb::ClientContext& context) override;
  duckdb::virtual_column_map_t GetVirtualColumns() const override;
  // CREATE TABLE, with the table's kind.
  duckdb::unique_ptr<duckdb::CreateInfo> GetInfo() const override;
  // Committed rows, roughly: what the optimizer orders joins by.
  duckdb::idx_t EstimateRows() const { return EstimateHotRows() + CountColdRows(); }
  duckdb::idx_t EstimateHotRows() const;
  // In segments, those that were dropped included.
  duckdb::idx_t CountColdRows() const;
  // Throws: there is none of DuckDB's. (DuckDB's own error for that would close the whole instance.)
  duckdb::DataTable& GetStorage() override;

  SqlTable(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema, duckdb::CreateTableInfo& info,
           std::shared_ptr<TableImpl> table);

 private:
  const std::shared_ptr<TableImpl> table_;
};

class SqlCatalog;

// The name of a schema, and nothing but: which schema and which tables that is, the transaction that asks knows.
class SqlSchema : public duckdb::SchemaCatalogEntry {
 public:
  SqlSchema(SqlCatalog& catalog, duckdb::CreateSchemaInfo& info);

  void Scan(duckdb::ClientContext& context, duckdb::CatalogType type,
            const std::function<void(duckdb::CatalogEntry&)>& callback) override;
  void Scan(duckdb::CatalogType type, const std::function<void(duckdb::CatalogEntry&)>& callback) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> LookupEntry(duckdb::CatalogTransaction transaction,
                                                         const duckdb::EntryLookupInfo& lookup) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTable(duckdb::CatalogTransaction transaction,
                                                         duckdb::BoundCreateTableInfo& info) override;
  duckdb::SimilarCatalogEntry GetSimilarEntry(duckdb::CatalogTransaction transaction,
                                              const duckdb::EntryLookupInfo& lookup) override;
  void DropEntry(duckdb::ClientContext& context, duckdb::DropInfo& info) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateView(duckdb::CatalogTransaction transaction,
                                                        duckdb::CreateViewInfo& info) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateType(duckdb::CatalogTransaction transaction,
                                                        duckdb::CreateTypeInfo& info) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSequence(duckdb::CatalogTransaction transaction,
                                                            duckdb::CreateSequenceInfo& info) override;
  // A macro; other functions are refused.
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateFunction(duckdb::CatalogTransaction transaction,
                                                            duckdb::CreateFunctionInfo& info) override;

  duckdb::optional_ptr<duckdb::CatalogEntry> CreateIndex(duckdb::CatalogTransaction transaction,
                                                         duckdb::CreateIndexInfo& info,
                                                         duckdb::TableCatalogEntry& table) override;

  // Not among the things that a Yarrow database has: each throws, saying so.
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateTableFunction(duckdb::CatalogTransaction,
                                                                 duckdb::CreateTableFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateCopyFunction(duckdb::CatalogTransaction,
                                                                duckdb::CreateCopyFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreatePragmaFunction(duckdb::CatalogTransaction,
                                                                  duckdb::CreatePragmaFunctionInfo&) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateCollation(duckdb::CatalogTransaction,
                                                             duckdb::CreateCollationInfo&) override;
  void Alter(duckdb::CatalogTransaction transaction, duckdb::AlterInfo& info) override;

 private:
  // What has the name, among the things that share it with the kind.
  std::optional<duckdb::CatalogType> TypeOfName(SqlTransaction& transaction, ObjectKind kind,
                                                const std::string& entry_name);
  bool MakeRoom(SqlTransaction& transaction, duckdb::CatalogType entry_type, const std::string& entry_name,
                duckdb::OnCreateConflict on_conflict);
  void DropNamed(SqlTransaction& transaction, duckdb::CatalogType entry_type, const std::string& entry_name,
                 bool cascade);
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateObject(duckdb::CatalogTransaction transaction,
                                                          const duckdb::CreateInfo& info);
  void ScanIndexes(duckdb::ClientContext& context, const std::function<void(duckdb::CatalogEntry&)>& callback);
  void CommentOnIndex(SqlTransaction& transaction, duckdb::AlterInfo& info);
  void AlterObject(duckdb::CatalogTransaction transaction, duckdb::AlterInfo& info,
                   const std::shared_ptr<const ObjectEntry>& object);

  SqlCatalog& sql_catalog_;
};

class SqlCatalog : public duckdb::Catalog {
 public:
  SqlCatalog(duckdb::AttachedDatabase& attached, std::shared_ptr<Database> database, std::string user, bool confined);
  ~SqlCatalog() override;

  const std::shared_ptr<DatabaseImpl>& database() const { return database_; }
  const std::string& user() const { return user_; }
  // Whether its statements are those of somebody who is to reach no rows but the own ones.
  bool is_confined() const { return is_confined_; }
  // Throws in a confined session.
  void CheckMayDefine() const;
  // Tables of the system that tell of other users are not there in a confined session.
  bool IsHidden(const TableDefinition& table) const;

  // What lists show of a system table: a view. Whoever copies or exports all tables of a database leaves views of its
  // own alone; a lookup finds the table.
  duckdb::ViewCatalogEntry& SystemView(SqlSchema& schema, const TableDefinition& table);
  // The entry of a table's version; the same object as long as that version is the current one or somebody holds it.
  std::shared_ptr<SqlTable> EntryOf(SqlSchema& schema, const std::shared_ptr<const TableEntry>& entry);

  void Initialize(bool load_builtin) override;
  duckdb::string GetCatalogType() override { return "yarrow"; }
  duckdb::optional_idx GetCatalogVersion(duckdb::ClientContext& context) override;
  duckdb::optional_ptr<duckdb::CatalogEntry> CreateSchema(duckdb::CatalogTransaction transaction,
                                                          duckdb::CreateSchemaInfo& info) override;
  duckdb::optional_ptr<duckdb::SchemaCatalogEntry> LookupSchema(duckdb::CatalogTransaction transaction,
                                                                const duckdb::EntryLookupInfo& lookup,
                                                                duckdb::OnEntryNotFound if_not_found) override;
  void ScanSchemas(duckdb::ClientContext& context, std::function<void(duckdb::SchemaCatalogEntry&)> callback) override;

  duckdb::PhysicalOperator& PlanCreateTableAs(duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                              duckdb::LogicalCreateTable& op, duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanInsert(duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalInsert& op,
                                       duckdb::optional_ptr<duckdb::PhysicalOperator> plan) override;
  duckdb::PhysicalOperator& PlanDelete(duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalDelete& op, duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanUpdate(duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                       duckdb::LogicalUpdate& op, duckdb::PhysicalOperator& plan) override;
  duckdb::PhysicalOperator& PlanMergeInto(duckdb::ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                          duckdb::LogicalMergeInto& op, duckdb::PhysicalOperator& plan) override;

  // DuckDB's own binders of these take every table for one of DuckDB's.
  duckdb::unique_ptr<duckdb::LogicalOperator> BindCreateIndex(
      duckdb::Binder& binder, duckdb::CreateStatement& statement, duckdb::TableCatalogEntry& table,
      duckdb::unique_ptr<duckdb::LogicalOperator> plan) override;
  duckdb::unique_ptr<duckdb::LogicalOperator> BindAlterAddIndex(
      duckdb::Binder& binder, duckdb::TableCatalogEntry& table, duckdb::unique_ptr<duckdb::LogicalOperator> plan,
      duckdb::unique_ptr<duckdb::CreateIndexInfo> create_info,
      duckdb::unique_ptr<duckdb::AlterTableInfo> alter_info) override;

  duckdb::ErrorData SupportsCreateTable(duckdb::BoundCreateTableInfo& info) override;
  duckdb::DatabaseSize GetDatabaseSize(duckdb::ClientContext& context) override;
  // The number that duckdb_tables() and duckdb_indexes() show, the same for all entries of one table or, where
  // `index_id` is not 0, of one index: `made`, when this is the first. Thread-safe.
  duckdb::idx_t StableOid(uint32_t table_id, uint32_t index_id, duckdb::idx_t made);
  bool InMemory() override { return false; }
  duckdb::string GetDBPath() override;

 private:
  void DropSchema(duckdb::ClientContext& context, duckdb::DropInfo& info) override;
  SqlSchema& EntryOf(const SchemaEntry& schema);
  void ForgetEnded();  // under mutex_

  const std::shared_ptr<DatabaseImpl> database_;
  const std::string user_;
  const bool is_confined_;
  std::mutex mutex_;
  // By name as it was spelled. Never removed: plans that outlive their transaction have bare references. So one that is
  // made again under its name gets the entry that it had.
  std::map<std::string, std::unique_ptr<SqlSchema>> schemas_;
  std::map<uint32_t, std::unique_ptr<duckdb::ViewCatalogEntry>> system_views_;  // by table id
  // By table id: the latest version that was asked for.
  std::map<uint32_t, std::pair<std::shared_ptr<const TableEntry>, std::shared_ptr<SqlTable>>> tables_;
  uint64_t made_ = 0;          // since the last ForgetEnded
  uint64_t forgotten_at_ = 0;  // version of the catalog then
  std::mutex oid_mutex_;
  std::map<std::pair<uint32_t, uint32_t>, duckdb::idx_t> oids_;  // by ids of table and index; under oid_mutex_
};

}  // namespace yarrow::sql
