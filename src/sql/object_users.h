// What depends on a sequence, macro or type: tables whose expressions name it.
#pragma once

#include <memory>
#include <vector>

#include "catalog/catalog.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

class SqlTransaction;

// The tables with a default, CHECK constraint or generated column that names the object. Looks at every table that has
// such expressions. A column of a named type is none: it has the type that the name stood for.
std::vector<std::shared_ptr<const TableEntry>> TablesUsing(SqlTransaction& transaction, const ObjectEntry& object);

// Of an object that goes: drops the tables that use it. Throws a DependencyException unless `cascade`.
void DropTablesUsing(SqlTransaction& transaction, const ObjectEntry& object, bool cascade);

// CatalogException for a table that others refer to by a FOREIGN KEY: it cannot be dropped before them.
void CheckDroppable(SqlTransaction& transaction, const TableDefinition& table);
// DependencyException for such a table: it can be neither renamed nor rewritten.
void CheckNotReferenced(const TableDefinition& table);

}  // namespace yarrow::sql
