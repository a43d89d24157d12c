#include "sql/sql_catalog.h"

#include <algorithm>
#include <map>
#include <utility>

#include "catalog/table_schema.h"
#include "database/open_database.h"
#include "sql/alter_table.h"
#include "sql/create_index.h"
#include "sql/create_table.h"
#include "sql/object_users.h"
#include "sql/rewrite_table.h"
#include "sql/schema_objects.h"
#include "sql/sequence.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/sql_type.h"

namespace yarrow::sql {

// --- schemas ---------------------------------------------------------------------------------------------------------

SqlSchema::SqlSchema(SqlCatalog& catalog_in, duckdb::CreateSchemaInfo& info)
    : SchemaCatalogEntry(catalog_in, info), sql_catalog_(catalog_in) {}

void SqlSchema::Scan(duckdb::ClientContext& context, duckdb::CatalogType entry_type,
                     const std::function<void(duckdb::CatalogEntry&)>& callback) {
  if (entry_type == duckdb::CatalogType::INDEX_ENTRY) return ScanIndexes(context, callback);
  const auto kind = ObjectKindOf(entry_type);
  if (!kind) return;
  SqlTransaction& transaction = SqlTransaction::Of(context, catalog);
  auto objects = transaction.Objects(name);
  std::ranges::sort(objects, {}, &ObjectEntry::made_at);
  for (const auto& object : objects) {
    if (object->kind != *kind) continue;
    auto& entry = transaction.Pin(*this, object);
    callback(*kind == ObjectKind::kSequence ? transaction.PinShown(entry.Cast<SqlSequence>().Show(context))
                                            : static_cast<duckdb::CatalogEntry&>(entry));
  }
  if (*kind != ObjectKind::kView) return;
  for (const auto& entry : transaction.Tables(name)) {
    if (sql_catalog_.IsHidden(*entry->definition)) continue;
    const bool is_system = entry->definition->kind == TableKind::kSystem;
    callback(is_system ? static_cast<duckdb::CatalogEntry&>(sql_catalog_.SystemView(*this, *entry->definition))
                       : transaction.Pin(sql_catalog_.EntryOf(*this, entry)));
  }
}

// By name, as DuckDB has them.
void SqlSchema::ScanIndexes(duckdb::ClientContext& context,
                            const std::function<void(duckdb::CatalogEntry&)>& callback) {
  SqlTransaction& transaction = SqlTransaction::Of(context, catalog);
  std::map<std::string, std::shared_ptr<SqlIndex>> indexes;
  for (const auto& table : transaction.Tables(name)) {
    for (const IndexDefinition& index : table->definition->indexes) {
      if (index.is_constraint() || index.is_building) continue;
      indexes.emplace(FoldCase(index.name), SqlIndex::Make(*this, *table->definition, index));
    }
  }
  for (auto& [folded, index] : indexes) callback(transaction.PinShown(std::move(index)));
}

// By the names alone: to make an entry of each table would take long.
duckdb::SimilarCatalogEntry SqlSchema::GetSimilarEntry(duckdb::CatalogTransaction transaction,
                                                       const duckdb::EntryLookupInfo& lookup) {
  duckdb::SimilarCatalogEntry similar;
  const auto kind = ObjectKindOf(lookup.GetCatalogType());
  if (!kind || !transaction.transaction) return similar;
  const auto compare = [&](const std::string& known) {
    const double score = duckdb::StringUtil::SimilarityRating(known, lookup.GetEntryName());
    if (score > similar.score) similar.score = score, similar.name = known;
  };
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  for (const auto& object : sql_transaction.Objects(name)) {
    if (object->kind == *kind) compare(object->name);
  }
  if (*kind != ObjectKind::kView) return similar;
  for (const auto& entry : sql_transaction.Tables(name)) {
    if (!sql_catalog_.IsHidden(*entry->definition)) compare(entry->definition->name);
  }
  return similar;
}

// Without a transaction nobody could hold the entries: DuckDB asks so only of its own catalogs.
void SqlSchema::Scan(duckdb::CatalogType, const std::function<void(duckdb::CatalogEntry&)>&) {}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::LookupEntry(duckdb::CatalogTransaction transaction,
                                                                  const duckdb::EntryLookupInfo& lookup) {
  // One name is one thing: who asks for a view of that name hears of the table, and does not take it for missing.
  if (!transaction.transaction) return nullptr;
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  if (lookup.GetCatalogType() == duckdb::CatalogType::INDEX_ENTRY) {
    const auto holder = sql_transaction.FindTableOfIndex(name, lookup.GetEntryName());
    if (holder == nullptr) return nullptr;
    const TableDefinition& definition = *holder->definition;
    return sql_transaction.PinShown(SqlIndex::Make(*this, definition, *FindIndex(definition, lookup.GetEntryName())));
  }
  const auto kind = ObjectKindOf(lookup.GetCatalogType());
  if (!kind) return nullptr;
  const auto table = *kind == ObjectKind::kView ? sql_transaction.Find(name, lookup.GetEntryName()) : nullptr;
  if (table != nullptr && !sql_catalog_.IsHidden(*table->definition)) {
    return sql_transaction.Pin(sql_catalog_.EntryOf(*this, table));
  }
  const auto object = sql_transaction.FindObject(*kind, name, lookup.GetEntryName());
  if (object == nullptr) return nullptr;
  return sql_transaction.Pin(*this, object);
}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateTable(duckdb::CatalogTransaction transaction,
                                                                  duckdb::BoundCreateTableInfo& info) {
  sql_catalog_.CheckMayDefine();
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  auto& base = info.Base();
  base.schema = name;
  if (const duckdb::ErrorData refused = sql_catalog_.SupportsCreateTable(info); refused.HasError()) refused.Throw();
  if (!MakeRoom(sql_transaction, duckdb::CatalogType::TABLE_ENTRY, base.table, base.on_conflict)) return nullptr;
  Check(sql_transaction.impl().CreateTable(MakeTableSpec(transaction.GetContext(), *this, base)));
  return sql_transaction.Pin(sql_catalog_.EntryOf(*this, sql_transaction.Find(name, base.table)));
}

namespace {

[[noreturn]] void Refuse(const std::string& what, const std::string& database) {
  throw duckdb::NotImplementedException("Database " + database + " (a Yarrow database) cannot have " + what +
                                        "; create it in another database, such as memory or temp");
}

}  // namespace

// For COPY FROM DATABASE.
duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateIndex(duckdb::CatalogTransaction transaction,
                                                                  duckdb::CreateIndexInfo& info,
                                                                  duckdb::TableCatalogEntry& table) {
  sql_catalog_.CheckMayDefine();
  const TableDefinition& definition = table.Cast<SqlTable>().table()->definition();
  MakeIndex(transaction.GetContext(), *this, table.name, ToIndexSpec(info, definition), info.on_conflict);
  return LookupEntry(transaction, {duckdb::CatalogType::INDEX_ENTRY, info.index_name});
}
duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateFunction(duckdb::CatalogTransaction transaction,
                                                                     duckdb::CreateFunctionInfo& info) {
  const bool is_macro =
      info.type == duckdb::CatalogType::MACRO_ENTRY || info.type == duckdb::CatalogType::TABLE_MACRO_ENTRY;
  if (!is_macro) Refuse("functions", catalog.GetName());
  return CreateObject(transaction, info);
}
duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateTableFunction(duckdb::CatalogTransaction,
                                                                          duckdb::CreateTableFunctionInfo&) {
  Refuse("table functions", catalog.GetName());
}
duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateCopyFunction(duckdb::CatalogTransaction,
                                                                         duckdb::CreateCopyFunctionInfo&) {
  Refuse("copy functions", catalog.GetName());
}
duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreatePragmaFunction(duckdb::CatalogTransaction,
                                                                           duckdb::CreatePragmaFunctionInfo&) {
  Refuse("pragma functions", catalog.GetName());
}
duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateCollation(duckdb::CatalogTransaction,
                                                                      duckdb::CreateCollationInfo&) {
  Refuse("collations", catalog.GetName());
}

void SqlSchema::CommentOnIndex(SqlTransaction& transaction, duckdb::AlterInfo& info) {
  const auto table = transaction.FindTableOfIndex(name, info.name);
  if (table == nullptr && info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return;
  if (table == nullptr) throw duckdb::CatalogException::MissingEntry(info.GetCatalogType(), info.name, "");
  if (info.type != duckdb::AlterType::SET_COMMENT) {
    throw duckdb::NotImplementedException("index " + info.name + " can get a comment, but no other change");
  }
  std::string text = CommentOf(info.Cast<duckdb::SetCommentInfo>().comment_value);
  Check(transaction.impl().AlterTable(table, SetIndexComment{.name = info.name, .comment = std::move(text)}));
}

void SqlSchema::Alter(duckdb::CatalogTransaction transaction, duckdb::AlterInfo& info) {
  sql_catalog_.CheckMayDefine();
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  if (info.GetCatalogType() == duckdb::CatalogType::INDEX_ENTRY) return CommentOnIndex(sql_transaction, info);
  const auto kind = ObjectKindOf(info.GetCatalogType());
  const auto existing = kind ? TypeOfName(sql_transaction, *kind, info.name) : std::nullopt;
  if (!existing) {
    if (info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return;
    throw duckdb::CatalogException::MissingEntry(info.GetCatalogType(), info.name, "");
  }
  if (*existing != duckdb::CatalogType::TABLE_ENTRY) {
    return AlterObject(transaction, info, sql_transaction.FindObject(*kind, name, info.name));
  }
  if (info.type == duckdb::AlterType::ALTER_VIEW) {
    throw duckdb::CatalogException("Existing object " + info.name + " is of type Table, not View");
  }
  const auto entry = sql_transaction.Find(name, info.name);
  const TableAlteration alteration = MakeAlteration(transaction.GetContext(), *this, *entry->definition, info);
  if (const auto* rename = std::get_if<RenameTable>(&alteration)) {
    CheckNotReferenced(*entry->definition);
    const auto holder = TypeOfName(sql_transaction, ObjectKind::kView, rename->new_name);
    if (holder && sql_transaction.Find(name, rename->new_name) != entry) ThrowNameTaken(info.name, rename->new_name);
  }
  Check(sql_transaction.impl().AlterTable(entry, alteration));
}

namespace {

void DropSchemaOf(SqlTransaction& transaction, const std::string& name, bool cascade) {
  const auto schema = transaction.FindSchema(name);
  if (!Catalog::CheckDroppable(*schema).ok()) {
    throw duckdb::CatalogException("Cannot drop entry \"" + schema->name +
                                   "\" because it is an internal system entry: it is part of every database");
  }
  const auto tables = transaction.Tables(name);
  const auto objects = transaction.Objects(name);
  if (!cascade && (!tables.empty() || !objects.empty())) {
    std::string error = "Cannot drop entry \"" + name + "\" because there are entries that depend on it.\n";
    const auto add = [&](const std::string& what, const std::string& entry_name) {
      error += what + " \"" + entry_name + "\" depends on schema \"" + name + "\".\n";
    };
    for (const auto& table : tables) add("table", table->definition->name);
    for (const auto& object : objects) add(std::string(ObjectKindName(object->kind)), object->name);
    throw duckdb::DependencyException(error + "Use DROP...CASCADE to drop all dependents.");
  }
  for (const auto& table : tables) Check(transaction.impl().DropTable(table));
  for (const auto& object : objects) {
    DropTablesUsing(transaction, *object, cascade);
    Check(transaction.impl().DropObject(object));
  }
  Check(transaction.impl().DropSchema(schema));
}

}  // namespace

// --- the catalog -----------------------------------------------------------------------------------------------------

SqlCatalog::SqlCatalog(duckdb::AttachedDatabase& attached, std::shared_ptr<Database> database, std::string user,
                       bool confined)
    : Catalog(attached), database_(ImplOf(*database)), user_(std::move(user)), is_confined_(confined) {}
SqlCatalog::~SqlCatalog() = default;

void SqlCatalog::CheckMayDefine() const {
  if (!is_confined_) return;
  throw duckdb::PermissionException(
      "a confined session cannot create, alter or drop schemas and tables; temporary tables are its own");
}

bool SqlCatalog::IsHidden(const TableDefinition& table) const {
  if (!is_confined_ || table.kind != TableKind::kSystem) return false;
  for (const char* shown : {"schemas", "tables", "columns", "objects", "indexes"}) {
    if (table.name == shown) return false;
  }
  return true;
}

void SqlCatalog::Initialize(bool) {}

duckdb::ViewCatalogEntry& SqlCatalog::SystemView(SqlSchema& schema, const TableDefinition& table) {
  std::lock_guard lock(mutex_);
  std::unique_ptr<duckdb::ViewCatalogEntry>& view = system_views_[table.id];
  if (view == nullptr) {
    duckdb::CreateViewInfo info(schema, table.name);
    for (const ColumnDefinition& column : table.columns) {
      info.names.push_back(column.name);
      info.types.push_back(ToLogicalType(column.type));
    }
    info.query = duckdb::CreateViewInfo::ParseSelect("FROM " + duckdb::KeywordHelper::WriteOptionallyQuoted(GetName()) +
                                                     "." + table.QualifiedName());
    info.internal = true;
    view = std::make_unique<duckdb::ViewCatalogEntry>(*this, schema, info);
  }
  return *view;
}

std::shared_ptr<SqlTable> SqlCatalog::EntryOf(SqlSchema& schema, const std::shared_ptr<const TableEntry>& entry) {
  const uint32_t id = entry->definition->id;
  std::lock_guard lock(mutex_);
  if (const auto known = tables_.find(id); known != tables_.end() && known->second.first == entry) {
    return known->second.second;
  }
  ForgetEnded();
  auto table = SqlTable::Make(*this, schema, Check(TableImpl::Make(database_, entry, user_)));
  tables_[id] = {entry, table};
  return table;
}

// Dropped tables and former definitions go with the last transaction or plan that uses them. Looked for when so much
// has changed since the last time that a look at all costs each change little.
void SqlCatalog::ForgetEnded() {
  const auto view = database_->catalog().View();
  const uint64_t changes = view->version() - forgotten_at_;
  if (++made_ + changes < tables_.size() / 2 + 16) return;
  std::erase_if(tables_,
                [](const auto& cached) { return cached.second.first->ended_at->load(std::memory_order_acquire) != 0; });
  {
    const std::lock_guard lock(oid_mutex_);
    std::erase_if(oids_, [&](const auto& oid) { return view->Find(oid.first.first) == nullptr; });
  }
  made_ = 0;
  forgotten_at_ += changes;
}

duckdb::optional_idx SqlCatalog::GetCatalogVersion(duckdb::ClientContext& context) {
  std::optional<uint64_t> version = database_->catalog().View()->version();
  if (auto transaction = duckdb::Transaction::TryGet(context, GetAttached())) {
    version = transaction->Cast<SqlTransaction>().catalog_version();
  }
  // Plans over tables that a transaction alone sees must not be shared.
  if (!version) return {};
  // Whether a table has segments says what its scan leaves to parquet_scan.
  const uint64_t first_segments = database_->cold_tier()->first_segments;
  return (*version << 32) | (first_segments & 0xFFFFFFFF);
}

SqlSchema& SqlCatalog::EntryOf(const SchemaEntry& schema) {
  std::lock_guard lock(mutex_);
  std::unique_ptr<SqlSchema>& entry = schemas_[schema.name];
  if (entry == nullptr) {
    duckdb::CreateSchemaInfo info;
    info.schema = schema.name;
    info.internal = !yarrow::Catalog::CheckDroppable(schema).ok();
    entry = std::make_unique<SqlSchema>(*this, info);
  }
  return *entry;
}

duckdb::optional_ptr<duckdb::SchemaCatalogEntry> SqlCatalog::LookupSchema(duckdb::CatalogTransaction transaction,
                                                                          const duckdb::EntryLookupInfo& lookup,
                                                                          duckdb::OnEntryNotFound if_not_found) {
  const std::string& schema_name = lookup.GetEntryName();
  if (transaction.transaction) {
    if (const auto schema = transaction.transaction->Cast<SqlTransaction>().FindSchema(schema_name)) {
      return EntryOf(*schema);
    }
  }
  if (if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return nullptr;
  throw duckdb::CatalogException("Schema with name " + schema_name + " does not exist! There is none in database " +
                                 GetName());
}

void SqlCatalog::ScanSchemas(duckdb::ClientContext& context,
                             std::function<void(duckdb::SchemaCatalogEntry&)> callback) {
  for (const auto& schema : SqlTransaction::Of(context, *this).Schemas()) callback(EntryOf(*schema));
}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlCatalog::CreateSchema(duckdb::CatalogTransaction transaction,
                                                                    duckdb::CreateSchemaInfo& info) {
  CheckMayDefine();
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  if (!info.comment.IsNull()) Refuse("the comment on schema " + info.schema, GetName());
  if (sql_transaction.FindSchema(info.schema) != nullptr) {
    switch (info.on_conflict) {
      case duckdb::OnCreateConflict::IGNORE_ON_CONFLICT:
        return nullptr;
      case duckdb::OnCreateConflict::REPLACE_ON_CONFLICT:
        DropSchemaOf(sql_transaction, info.schema, /*cascade=*/false);
        break;
      default:
        throw duckdb::CatalogException("Schema with name \"" + info.schema + "\" already exists!");
    }
  }
  if (duckdb::StringUtil::CIEquals(info.schema, GetName())) {
    throw duckdb::CatalogException("Schema " + info.schema + " cannot have the name of its database: " + info.schema +
                                   ".x could be a table of either; choose another name");
  }
  Check(sql_transaction.impl().CreateSchema(info.schema));
  return EntryOf(*sql_transaction.FindSchema(info.schema));
}

void SqlCatalog::DropSchema(duckdb::ClientContext& context, duckdb::DropInfo& info) {
  CheckMayDefine();
  SqlTransaction& transaction = SqlTransaction::Of(context, *this);
  if (transaction.FindSchema(info.name) != nullptr) return DropSchemaOf(transaction, info.name, info.cascade);
  if (info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return;
  throw duckdb::CatalogException("Schema with name " + info.name + " does not exist! There is none in database " +
                                 GetName());
}

duckdb::unique_ptr<duckdb::LogicalOperator> SqlCatalog::BindCreateIndex(
    duckdb::Binder& binder, duckdb::CreateStatement& statement, duckdb::TableCatalogEntry& table,
    duckdb::unique_ptr<duckdb::LogicalOperator> plan) {
  return PlanCreateIndex(binder, statement.info->Cast<duckdb::CreateIndexInfo>(), table.Cast<SqlTable>(),
                         std::move(plan));
}

duckdb::unique_ptr<duckdb::LogicalOperator> SqlCatalog::BindAlterAddIndex(
    duckdb::Binder& binder, duckdb::TableCatalogEntry& table, duckdb::unique_ptr<duckdb::LogicalOperator>,
    duckdb::unique_ptr<duckdb::CreateIndexInfo>, duckdb::unique_ptr<duckdb::AlterTableInfo> alter_info) {
  return PlanAddPrimaryKey(binder, table.Cast<SqlTable>(), *alter_info);
}

duckdb::ErrorData SqlCatalog::SupportsCreateTable(duckdb::BoundCreateTableInfo& info) {
  const auto& base = info.Base();
  if (base.partition_keys.empty() && base.sort_keys.empty()) return {};
  return duckdb::ErrorData(duckdb::ExceptionType::CATALOG,
                           "Table " + base.table +
                               ": PARTITIONED BY and SORTED BY are not supported; rows are sorted by "
                               "their primary key");
}

duckdb::idx_t SqlCatalog::StableOid(uint32_t table_id, uint32_t index_id, duckdb::idx_t made) {
  const std::lock_guard lock(oid_mutex_);
  return oids_.emplace(std::pair(table_id, index_id), made).first->second;
}

duckdb::DatabaseSize SqlCatalog::GetDatabaseSize(duckdb::ClientContext&) {
  duckdb::DatabaseSize size;
  std::error_code error, gone;  // files come and go meanwhile
  std::filesystem::recursive_directory_iterator file(database_->store()->path(), error), end;
  for (; !error && file != end; file.increment(error)) {
    const uintmax_t bytes = file->is_regular_file(gone) ? file->file_size(gone) : 0;
    if (!gone) size.bytes += bytes;
  }
  return size;
}

duckdb::string SqlCatalog::GetDBPath() {
  if (is_confined_) return "";
  return database_->store()->path().string();
}

}  // namespace yarrow::sql
