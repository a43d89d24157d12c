// ALTER TABLE as a TableAlteration.
#pragma once

#include "sql/duckdb_api.h"
#include "yarrow/table_alteration.h"

namespace yarrow::sql {

// Throws, naming table, column and remedy, for what a Yarrow table cannot have or become.
TableAlteration MakeAlteration(duckdb::ClientContext& context, duckdb::SchemaCatalogEntry& schema,
                               const TableDefinition& table, duckdb::AlterInfo& info);

// Whether a change of a type has no USING, or one that says what happens without it. Gives the type all its parts.
bool IsPlainCast(duckdb::ClientContext& context, duckdb::ChangeColumnTypeInfo& info);

}  // namespace yarrow::sql
