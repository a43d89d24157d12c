// Views, macros, types and sequences: how they are kept in the catalog, and the entries that DuckDB finds.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catalog/schema_object.h"
#include "sql/duckdb_api.h"

namespace yarrow::sql {

// The kind whose names an entry of the type shares: that of a table is the kind of views, that of a function the kind
// of macros. Nothing for types that a schema of ours never has.
std::optional<ObjectKind> ObjectKindOf(duckdb::CatalogType type);
duckdb::CatalogType CatalogTypeOf(ObjectKind kind);

// A view, macro, type or sequence as it is kept: its CREATE statement, and the bytes that DuckDB's own database files
// have of it (its CreateInfo by BinarySerializer), in which the database is not named. The columns of a view are those
// that it had when it was made; DuckDB finds out anew when it is read.
std::shared_ptr<ObjectEntry> MakeObject(const std::string& schema, const duckdb::CreateInfo& made);

// The inverse. Throws an IOException that names the object when the bytes cannot be read.
std::shared_ptr<duckdb::StandardEntry> MakeObjectEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema,
                                                       const std::shared_ptr<const ObjectEntry>& object);

// Of ALTER ... RENAME TO.
[[noreturn]] void ThrowNameTaken(const std::string& name, const std::string& new_name);

}  // namespace yarrow::sql
