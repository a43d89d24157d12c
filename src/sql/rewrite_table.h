// ALTER TABLE that has to write all rows anew: other types and other fields of columns, an added primary key, an added
// column with a default that differs from row to row.
//
// The table is replaced: one with the new definition is made under another id and filled from a SELECT over the old
// one, which is dropped, all in the transaction of the statement. Its commit fails with a conflict when another
// transaction has changed rows of the old one meanwhile.
#pragma once

#include "sql/duckdb_api.h"
#include "sql/sql_catalog.h"

namespace yarrow::sql {

// Plans such statements over Yarrow's tables of the instance.
void RegisterTableRewrites(duckdb::DBConfig& config);

// ADD PRIMARY KEY. Throws DuckDB's exceptions.
duckdb::unique_ptr<duckdb::LogicalOperator> PlanAddPrimaryKey(duckdb::Binder& binder, SqlTable& table,
                                                              const duckdb::AlterTableInfo& info);

}  // namespace yarrow::sql
