// What depends on a sequence, macro or type: tables whose expressions name it, and the table that owns a sequence.
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

// Of an object that goes: drops the tables that use or own it. Throws a DependencyException unless `cascade`.
void DropTablesUsing(SqlTransaction& transaction, const ObjectEntry& object, bool cascade);

// The sequences that are OWNED BY the table.
std::vector<std::shared_ptr<const ObjectEntry>> OwnedBy(SqlTransaction& transaction, uint32_t table_id);
// Drops a table with the sequences that it owns, and other tables that use these. Throws a DependencyException for
// such tables unless `cascade`.
void DropWithOwned(SqlTransaction& transaction, const std::shared_ptr<const TableEntry>& table, bool cascade);
void SetOwner(SqlTransaction& transaction, const std::shared_ptr<const ObjectEntry>& sequence, uint32_t table_id);
// The table of ALTER SEQUENCE ... OWNED BY. Throws a DependencyException when the sequence has another owner.
std::shared_ptr<const TableEntry> FindOwner(SqlTransaction& transaction, const ObjectEntry& sequence,
                                            const duckdb::ChangeOwnershipInfo& info);

// CatalogException for a table that others refer to by a FOREIGN KEY: it cannot be dropped before them.
void CheckDroppable(SqlTransaction& transaction, const TableDefinition& table);
// DependencyException for such a table: it can be neither renamed nor rewritten.
void CheckNotReferenced(const TableDefinition& table);

}  // namespace yarrow::sql
