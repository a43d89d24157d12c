#include "sql/sql_transaction.h"

#include <algorithm>
#include <utility>

#include "catalog/table_schema.h"
#include "sql/create_index.h"
#include "sql/schema_objects.h"
#include "sql/sql_error.h"
#include "store/write_set.h"

namespace yarrow::sql {
namespace {

using Schemas = std::vector<std::shared_ptr<const SchemaEntry>>;

bool IsIn(const Schemas& schemas, const std::shared_ptr<const SchemaEntry>& schema) {
  return std::find(schemas.begin(), schemas.end(), schema) != schemas.end();
}

}  // namespace

SqlTransaction::SqlTransaction(duckdb::TransactionManager& manager_in, duckdb::ClientContext& context_in,
                               SqlCatalog& catalog)
    : Transaction(manager_in, context_in), catalog_(catalog) {
  Check(HomeProcess::Check());
  // Snapshot and tables must be of one moment.
  yarrow::Catalog& tables = catalog.database()->catalog();
  do {
    catalog_view_ = tables.View();
    impl_.reset(new TransactionImpl(catalog.database(), catalog.user()));
    is_view_exact_ = !tables.IsCommitting();
  } while (tables.View() != catalog_view_);
}

std::optional<uint64_t> SqlTransaction::catalog_version() const {
  if (!is_view_exact_ || !impl_->catalog_changes().empty() || impl_->changes_segments()) return std::nullopt;
  return catalog_view_->version();
}

SqlTransaction& SqlTransaction::Of(duckdb::ClientContext& context, duckdb::Catalog& catalog) {
  Check(HomeProcess::Check());
  return Transaction::Get(context, catalog).Cast<SqlTransaction>();
}

bool SqlTransaction::IsOfOneStatement(const duckdb::ClientContext& context) {
  return context.transaction.IsAutoCommit();
}

WriteSet::View SqlTransaction::StatementView() {
  std::lock_guard lock(mutex_);
  const duckdb::transaction_t query = active_query;
  if (query != view_query_) {
    view_query_ = query;
    view_ = impl_->SealedWrites();
  }
  return view_;
}

SqlTable& SqlTransaction::Pin(std::shared_ptr<SqlTable> table) {
  std::lock_guard lock(mutex_);
  SqlTable& entry = *table;
  pinned_.try_emplace(&entry, std::move(table));
  return entry;
}

duckdb::StandardEntry& SqlTransaction::Pin(SqlSchema& schema, const std::shared_ptr<const ObjectEntry>& object) {
  std::lock_guard lock(mutex_);
  auto& entry = pinned_objects_[object];
  if (entry == nullptr) entry = MakeObjectEntry(catalog_, schema, object);
  return *entry;
}

duckdb::StandardEntry& SqlTransaction::PinShown(std::shared_ptr<duckdb::StandardEntry> entry) {
  std::lock_guard lock(mutex_);
  const duckdb::transaction_t query = active_query;
  if (query != shown_query_) shown_.clear();
  shown_query_ = query;
  return *shown_.emplace_back(std::move(entry));
}

std::shared_ptr<const ObjectEntry> SqlTransaction::FindObject(ObjectKind kind, const std::string& schema,
                                                              const std::string& name) {
  const CatalogChanges& changes = impl_->catalog_changes();
  for (const auto& object : changes.created_objects) {
    const bool is_it = object->kind == kind && FoldCase(object->schema_name) == FoldCase(schema) &&
                       FoldCase(object->name) == FoldCase(name);
    if (is_it) return object;
  }
  if (!catalog_view_->has_objects()) return nullptr;
  yarrow::Catalog& objects = catalog_.database()->catalog();
  auto found = catalog_view_->FindObject(kind, {schema, name});
  if (found != nullptr && !objects.IsLiveAt(*found, impl_->snapshot())) {
    found = objects.FindObjectAt(kind, {schema, name}, impl_->snapshot());
  }
  const auto& dropped = changes.dropped_objects;
  return std::ranges::find(dropped, found) == dropped.end() ? found : nullptr;
}

std::vector<std::shared_ptr<const ObjectEntry>> SqlTransaction::Objects(const std::string& schema) {
  std::vector<std::shared_ptr<const ObjectEntry>> objects;
  const auto& created = impl_->catalog_changes().created_objects;
  for (const auto& object : catalog_view_->Objects()) {
    if (FoldCase(object->schema_name) != FoldCase(schema)) continue;
    auto seen = FindObject(object->kind, schema, object->name);
    if (seen != nullptr && std::ranges::find(created, seen) == created.end()) objects.push_back(std::move(seen));
  }
  for (const auto& object : created) {
    if (FoldCase(object->schema_name) == FoldCase(schema)) objects.push_back(object);
  }
  return objects;
}

std::shared_ptr<const SchemaEntry> SqlTransaction::FindSchema(const std::string& name) {
  const CatalogChanges& changes = impl_->catalog_changes();
  for (const auto& schema : changes.created_schemas) {
    if (FoldCase(schema->name) == FoldCase(name)) return schema;
  }
  yarrow::Catalog& tables = catalog_.database()->catalog();
  auto found = catalog_view_->FindSchema(name);
  if (found != nullptr && !tables.IsLiveAt(*found, impl_->snapshot())) {
    found = tables.FindSchemaAt(name, impl_->snapshot());
  }
  return IsIn(changes.dropped_schemas, found) ? nullptr : found;
}

std::vector<std::shared_ptr<const SchemaEntry>> SqlTransaction::Schemas() {
  std::vector<std::shared_ptr<const SchemaEntry>> schemas;
  for (const auto& schema : catalog_view_->Schemas()) {
    auto seen = FindSchema(schema->name);
    if (seen != nullptr && !IsIn(impl_->catalog_changes().created_schemas, seen)) schemas.push_back(std::move(seen));
  }
  const auto& created = impl_->catalog_changes().created_schemas;
  schemas.insert(schemas.end(), created.begin(), created.end());
  return schemas;
}

std::shared_ptr<const TableEntry> SqlTransaction::Find(const std::string& schema, const std::string& name) {
  const auto is_it = [&](const auto& entry) {
    return FoldCase(entry->definition->schema_name) == FoldCase(schema) &&
           FoldCase(entry->definition->name) == FoldCase(name);
  };
  const CatalogChanges& changes = impl_->catalog_changes();
  for (const auto& entry : changes.created) {
    if (is_it(entry)) return entry;
  }
  for (const auto& altered : changes.altered) {
    if (is_it(altered.after)) return altered.after;
  }
  yarrow::Catalog& tables = catalog_.database()->catalog();
  auto found = catalog_view_->Find({schema, name});
  if (found != nullptr && !tables.IsLiveAt(*found, impl_->snapshot())) {
    found = tables.FindAt({schema, name}, impl_->snapshot());
  }
  if (found == nullptr) return nullptr;
  const auto is_found = [&](const auto& entry) { return entry->definition->id == found->definition->id; };
  // An altered one that is not found above has another name by now.
  const bool is_gone =
      std::ranges::any_of(changes.dropped, is_found) ||
      std::ranges::any_of(changes.altered, [&](const auto& altered) { return is_found(altered.after); });
  return is_gone ? nullptr : found;
}

std::shared_ptr<const TableEntry> SqlTransaction::FindTableOfIndex(const std::string& schema, const std::string& name) {
  const auto has_it = [&](const auto& entry) {
    return entry != nullptr && FoldCase(entry->definition->schema_name) == FoldCase(schema) &&
           FindIndex(*entry->definition, name) != nullptr;
  };
  const CatalogChanges& changes = impl_->catalog_changes();
  for (const auto& entry : changes.created) {
    if (has_it(entry)) return entry;
  }
  for (const auto& altered : changes.altered) {
    if (has_it(altered.after)) return altered.after;
  }
  const auto known = catalog_view_->FindTableOfIndex({schema, name});
  if (known == nullptr) return nullptr;
  auto seen = Find(known->definition->schema_name, known->definition->name);
  return has_it(seen) ? seen : nullptr;
}

std::vector<std::shared_ptr<const TableEntry>> SqlTransaction::Tables(const std::string& schema) {
  std::vector<std::shared_ptr<const TableEntry>> tables;
  for (const auto& entry : catalog_view_->Tables()) {
    const TableDefinition& definition = *entry->definition;
    if (FoldCase(definition.schema_name) != FoldCase(schema)) continue;
    if (auto seen = Find(definition.schema_name, definition.name)) tables.push_back(std::move(seen));
  }
  std::vector<std::shared_ptr<const TableEntry>> own = impl_->catalog_changes().created;
  for (const auto& altered : impl_->catalog_changes().altered) own.push_back(altered.after);
  for (const auto& entry : own) {
    const TableDefinition& definition = *entry->definition;
    const bool is_listed = std::any_of(tables.begin(), tables.end(), [&](const auto& t) { return t == entry; });
    if (!is_listed && FoldCase(definition.schema_name) == FoldCase(schema)) tables.push_back(entry);
  }
  return tables;
}

duckdb::Transaction& SqlTransactionManager::StartTransaction(duckdb::ClientContext& context) {
  auto transaction = std::make_unique<SqlTransaction>(*this, context, catalog_);
  SqlTransaction& started = *transaction;
  std::lock_guard lock(mutex_);
  running_.emplace(&started, std::move(transaction));
  return started;
}

duckdb::ErrorData SqlTransactionManager::CommitTransaction(duckdb::ClientContext&, duckdb::Transaction& transaction) {
  duckdb::ErrorData error;
  try {
    Check(transaction.Cast<SqlTransaction>().impl().Commit());
  } catch (const std::exception& exception) {
    error = duckdb::ErrorData(exception);
  }
  RollbackTransaction(transaction);
  return error;
}

void SqlTransactionManager::RollbackTransaction(duckdb::Transaction& transaction) {
  std::unique_ptr<SqlTransaction> over;
  {
    std::lock_guard lock(mutex_);
    const auto at = running_.find(&transaction);
    if (at == running_.end()) return;
    over = std::move(at->second);
    running_.erase(at);
  }
  if (!over->has_moved_rows() || !HomeProcess::IsHome()) return;
  const auto context = over->context.lock();
  over.reset();  // and its snapshot
  try {
    catalog_.database()->cold_tier()->moved_rows.DropDue([&] { return !context || !context->interrupted; });
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): they wait on, and have moved all the same
  }
}

void SqlTransactionManager::Checkpoint(duckdb::ClientContext&, bool) {
  if (db.IsReadOnly()) {
    throw duckdb::InvalidInputException("Cannot CHECKPOINT database \"%s\": it is attached in read-only mode",
                                        db.GetName());
  }
  DatabaseImpl& database = *catalog_.database();
  Check(database.store()->FlushMemtables());
  Check(database.RemoveDeletedFiles().status());
}

}  // namespace yarrow::sql
