// CREATE INDEX, and the indexes of a Yarrow database as DuckDB lists them.
#pragma once

#include <duckdb/catalog/catalog_entry/index_catalog_entry.hpp>

#include <memory>
#include <string>

#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"
#include "yarrow/table_definition.h"

namespace yarrow::sql {

// One index, of one version of its table. Immutable.
class SqlIndex : public duckdb::IndexCatalogEntry {
 public:
  SqlIndex(duckdb::SchemaCatalogEntry& of, duckdb::CreateIndexInfo& info, std::string table_name)
      : IndexCatalogEntry(of.catalog, of, info), table_name_(std::move(table_name)) {}

  static std::shared_ptr<SqlIndex> Make(duckdb::SchemaCatalogEntry& of, const TableDefinition& table,
                                        const IndexDefinition& index);

  duckdb::string GetSchemaName() const override { return schema.name; }
  duckdb::string GetTableName() const override { return table_name_; }

 private:
  const std::string table_name_;
};

// Plans the statement over a table of the catalog, whose scan `plan` is. Throws DuckDB's exceptions.
duckdb::unique_ptr<duckdb::LogicalOperator> PlanCreateIndex(duckdb::Binder& binder, duckdb::CreateIndexInfo& info,
                                                            SqlTable& table,
                                                            duckdb::unique_ptr<duckdb::LogicalOperator> plan);

// Makes the index in the transaction, with its entries; nothing when it exists and may.
void MakeIndex(duckdb::ClientContext& context, SqlSchema& schema, const std::string& table, const IndexSpec& spec,
               duckdb::OnCreateConflict on_conflict);

// Of an index as an entry of some catalog says it, over columns of the table.
IndexSpec ToIndexSpec(const duckdb::CreateIndexInfo& info, const TableDefinition& table);

// Throw when an index has the column.
void CheckTypeMayChange(const TableDefinition& table, const ColumnDefinition& column);
void CheckMayDrop(const TableDefinition& table, const std::string& column);

// Null when there is none.
const IndexDefinition* FindIndex(const TableDefinition& table, const std::string& name);

}  // namespace yarrow::sql
