#include "sql/function_fence.h"

#include <duckdb/catalog/catalog_entry/scalar_function_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp>
#include <duckdb/function/copy_function.hpp>
#include <duckdb/function/pragma_function.hpp>
#include <duckdb/parser/parsed_data/create_copy_function_info.hpp>
#include <duckdb/parser/parsed_data/create_pragma_function_info.hpp>
#include <duckdb/parser/parsed_data/create_scalar_function_info.hpp>
#include <duckdb/parser/parsed_data/create_table_function_info.hpp>
#include <duckdb/storage/object_cache.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sql/confined_functions.h"

namespace yarrow::sql {
namespace {

using duckdb::CatalogType;
using duckdb::ClientContext;

constexpr const char* kKept = "yarrow_original_functions";

// What scans of segments are made of.
struct Originals : public duckdb::ObjectCacheEntry {
  static duckdb::string ObjectType() { return kKept; }
  duckdb::string GetObjectType() override { return kKept; }
  duckdb::optional_idx GetEstimatedCacheMemory() const override { return {}; }  // never given up

  std::map<std::string, duckdb::TableFunction> functions;
};

[[noreturn]] void RefuseCall(const std::string& function) {
  throw duckdb::PermissionException("a confined session cannot call " + function);
}

duckdb::unique_ptr<duckdb::FunctionData> RefuseTable(ClientContext&, duckdb::TableFunctionBindInput& input,
                                                     duckdb::vector<duckdb::LogicalType>&,
                                                     duckdb::vector<duckdb::string>&) {
  RefuseCall(input.table_function.name);
}

duckdb::unique_ptr<duckdb::FunctionData> RefuseScalar(ClientContext&, duckdb::ScalarFunction& function,
                                                      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>&) {
  RefuseCall(function.name);
}

void RefusePragma(ClientContext&, const duckdb::FunctionParameters&) {
  RefuseCall("a pragma of this name");
}

void ReplaceTableFunction(duckdb::CatalogTransaction transaction, duckdb::SchemaCatalogEntry& schema,
                          const std::string& name) {
  // DuckDB asks for something to run before it binds.
  const auto never_run = [](duckdb::ClientContext&, duckdb::TableFunctionInput&, duckdb::DataChunk&) {};
  duckdb::TableFunction function(name, {}, never_run, RefuseTable);
  function.varargs = duckdb::LogicalType::ANY;
  duckdb::CreateTableFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  schema.CreateTableFunction(transaction, info);
}

void ReplaceScalar(duckdb::CatalogTransaction transaction, duckdb::SchemaCatalogEntry& schema,
                   const std::string& name) {
  duckdb::ScalarFunction function(name, {}, duckdb::LogicalType::BOOLEAN, nullptr, RefuseScalar);
  function.varargs = duckdb::LogicalType::ANY;
  duckdb::CreateScalarFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  schema.CreateFunction(transaction, info);
}

void ReplacePragma(duckdb::CatalogTransaction transaction, duckdb::SchemaCatalogEntry& schema,
                   const std::string& name) {
  duckdb::CreatePragmaFunctionInfo info(
      duckdb::PragmaFunction::PragmaCall(name, RefusePragma, {}, duckdb::LogicalType::ANY));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  schema.CreatePragmaFunction(transaction, info);
}

duckdb::unique_ptr<duckdb::FunctionData> RefuseCopyTo(ClientContext&, duckdb::CopyFunctionBindInput&,
                                                      const duckdb::vector<duckdb::string>&,
                                                      const duckdb::vector<duckdb::LogicalType>&) {
  throw duckdb::PermissionException("a confined session cannot COPY to files");
}

duckdb::unique_ptr<duckdb::FunctionData> RefuseCopyFrom(ClientContext&, duckdb::CopyFromFunctionBindInput&,
                                                        duckdb::vector<duckdb::string>&,
                                                        duckdb::vector<duckdb::LogicalType>&) {
  throw duckdb::PermissionException("a confined session cannot COPY from files");
}

void ReplaceCopy(duckdb::CatalogTransaction transaction, duckdb::SchemaCatalogEntry& schema, const std::string& name) {
  duckdb::CopyFunction function(name);
  function.copy_to_bind = RefuseCopyTo;
  function.copy_from_bind = RefuseCopyFrom;
  duckdb::CreateCopyFunctionInfo info(std::move(function));
  info.on_conflict = duckdb::OnCreateConflict::REPLACE_ON_CONFLICT;
  schema.CreateCopyFunction(transaction, info);
}

// Of a kind that has nothing to take its place.
void Remove(ClientContext& context, duckdb::SchemaCatalogEntry& schema, CatalogType type, const std::string& name) {
  duckdb::DropInfo info;
  info.type = type;
  info.schema = schema.name;
  info.name = name;
  info.allow_drop_internal = true;
  schema.DropEntry(context, info);
}

struct Found {
  duckdb::SchemaCatalogEntry& schema;
  CatalogType type;
  std::string name;
};

bool IsAllowed(CatalogType type, const std::string& name) {
  switch (type) {
    case CatalogType::TABLE_FUNCTION_ENTRY:
      return IsConfinedTableFunction(name);
    case CatalogType::SCALAR_FUNCTION_ENTRY:
    case CatalogType::AGGREGATE_FUNCTION_ENTRY:
      return IsConfinedScalar(name);
    case CatalogType::PRAGMA_FUNCTION_ENTRY:
      return IsConfinedPragma(name);
    case CatalogType::COPY_FUNCTION_ENTRY:
      return false;
    default:
      return true;  // macros: what they call is looked up when they are used
  }
}

std::vector<Found> FindRefused(ClientContext& context) {
  std::vector<Found> found;
  for (const auto& schema : duckdb::Catalog::GetSystemCatalog(context).GetSchemas(context)) {
    for (const CatalogType set : {CatalogType::TABLE_FUNCTION_ENTRY, CatalogType::SCALAR_FUNCTION_ENTRY,
                                  CatalogType::PRAGMA_FUNCTION_ENTRY, CatalogType::COPY_FUNCTION_ENTRY}) {
      schema.get().Scan(context, set, [&](duckdb::CatalogEntry& entry) {
        if (!IsAllowed(entry.type, entry.name)) found.push_back({schema.get(), entry.type, entry.name});
      });
    }
  }
  return found;
}

void Replace(duckdb::CatalogTransaction transaction, ClientContext& context, const Found& found) {
  switch (found.type) {
    case CatalogType::TABLE_FUNCTION_ENTRY:
      return ReplaceTableFunction(transaction, found.schema, found.name);
    case CatalogType::SCALAR_FUNCTION_ENTRY:
      return ReplaceScalar(transaction, found.schema, found.name);
    case CatalogType::PRAGMA_FUNCTION_ENTRY:
      return ReplacePragma(transaction, found.schema, found.name);
    case CatalogType::COPY_FUNCTION_ENTRY:
      return ReplaceCopy(transaction, found.schema, found.name);
    default:
      return Remove(context, found.schema, found.type, found.name);
  }
}

void KeepOriginals(ClientContext& context) {
  auto& instance = *context.db;
  const auto kept = duckdb::ObjectCache::GetObjectCache(context).GetOrCreate<Originals>(kKept);
  kept->functions.try_emplace("parquet_scan", OriginalFunction(instance, "parquet_scan"));
}

}  // namespace

void FenceFunctions(duckdb::DatabaseInstance& instance) {
  duckdb::Connection connection(instance);
  ClientContext& context = *connection.context;
  connection.BeginTransaction();
  KeepOriginals(context);
  auto& system = duckdb::Catalog::GetSystemCatalog(context);
  for (const Found& found : FindRefused(context)) Replace(system.GetCatalogTransaction(context), context, found);
  connection.Commit();
}

duckdb::TableFunction OriginalFunction(duckdb::DatabaseInstance& instance, const std::string& name) {
  if (const auto kept = instance.GetObjectCache().Get<Originals>(kKept)) {
    const auto at = kept->functions.find(name);
    if (at != kept->functions.end()) return at->second;
  }
  const auto transaction = duckdb::CatalogTransaction::GetSystemTransaction(instance);
  auto& schema = duckdb::Catalog::GetSystemCatalog(instance).GetSchema(transaction, DEFAULT_SCHEMA);
  const auto entry = schema.GetEntry(transaction, CatalogType::TABLE_FUNCTION_ENTRY, name);
  if (!entry) throw duckdb::CatalogException("this DuckDB has no function " + name);
  return entry->Cast<duckdb::TableFunctionCatalogEntry>().functions.functions[0];
}

}  // namespace yarrow::sql
