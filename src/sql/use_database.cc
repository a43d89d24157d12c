#include "sql/use_database.h"

#include <duckdb/catalog/catalog_search_path.hpp>
#include <duckdb/main/client_data.hpp>

#include "sql/duckdb_api.h"

namespace yarrow::sql {

void UseDatabase(duckdb::ClientContext& context, const std::string& database) {
  context.RunFunctionInTransaction([&] {
    duckdb::ClientData::Get(context).catalog_search_path->Set(duckdb::CatalogSearchEntry(database, DEFAULT_SCHEMA),
                                                              duckdb::CatalogSetPathType::SET_SCHEMA);
  });
}

}  // namespace yarrow::sql
