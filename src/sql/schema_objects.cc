#include "sql/schema_objects.h"

#include <duckdb/catalog/catalog_entry/scalar_macro_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/table_macro_catalog_entry.hpp>
#include <duckdb/catalog/catalog_entry/type_catalog_entry.hpp>
#include <duckdb/common/serializer/binary_deserializer.hpp>
#include <duckdb/common/serializer/binary_serializer.hpp>
#include <duckdb/common/serializer/memory_stream.hpp>
#include <duckdb/parser/parsed_data/comment_on_column_info.hpp>
#include <duckdb/parser/parsed_data/create_macro_info.hpp>
#include <duckdb/parser/parsed_data/create_sequence_info.hpp>
#include <duckdb/parser/parsed_data/create_type_info.hpp>

#include <algorithm>
#include <atomic>
#include <utility>

#include "catalog/records.h"
#include "sql/object_users.h"
#include "sql/sequence.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"

namespace yarrow::sql {
namespace {

using duckdb::CatalogType;

std::string ToBytes(const duckdb::CreateInfo& info) {
  duckdb::MemoryStream stream;
  duckdb::SerializationOptions options;
  options.serialization_compatibility = duckdb::SerializationCompatibility::Latest();
  duckdb::BinarySerializer out(stream, options);
  out.Begin();
  info.Serialize(out);
  out.End();
  return {reinterpret_cast<const char*>(stream.GetData()), stream.GetPosition()};
}

duckdb::unique_ptr<duckdb::CreateInfo> FromBytes(std::string bytes) {
  duckdb::MemoryStream stream(reinterpret_cast<duckdb::data_ptr_t>(bytes.data()), bytes.size());
  duckdb::BinaryDeserializer in(stream);
  in.Begin();
  auto info = duckdb::CreateInfo::Deserialize(in);
  in.End();
  return info;
}

// Throws unless the bytes are those of such an object.
duckdb::unique_ptr<duckdb::CreateInfo> ReadInfo(const ObjectEntry& object) {
  std::string why = "they are of something else";
  try {
    auto info = FromBytes(object.definition);
    const bool is_it = info->type != CatalogType::TABLE_ENTRY && ObjectKindOf(info->type) == object.kind;
    if (is_it) return info;
  } catch (const std::exception& error) {
    why = duckdb::ErrorData(error).RawMessage();
  }
  throw duckdb::IOException(object.Description() + ": the bytes in system.objects that define it cannot be read (" +
                            why + "); CREATE OR REPLACE makes it anew");
}

// Now, but behind the moment before: objects are exported in the order in which they were made.
int64_t NextMoment() {
  static std::atomic<int64_t> last{0};
  int64_t before = last.load(), next;
  do {
    next = std::max(NowMicros(), before + 1);
  } while (!last.compare_exchange_weak(before, next));
  return next;
}

[[noreturn]] void ThrowOtherType(const std::string& name, CatalogType type, const std::string& doing,
                                 CatalogType wanted) {
  throw duckdb::CatalogException("Existing object %s is of type %s, trying to %s type %s", name,
                                 duckdb::CatalogTypeToString(type), doing, duckdb::CatalogTypeToString(wanted));
}

}  // namespace

void ThrowNameTaken(const std::string& name, const std::string& new_name) {
  throw duckdb::CatalogException("Could not rename \"" + name + "\" to \"" + new_name +
                                 "\": another entry with this name already exists!");
}

std::optional<ObjectKind> ObjectKindOf(CatalogType type) {
  switch (type) {
    case CatalogType::TABLE_ENTRY:
    case CatalogType::VIEW_ENTRY:
      return ObjectKind::kView;
    case CatalogType::SCALAR_FUNCTION_ENTRY:
    case CatalogType::AGGREGATE_FUNCTION_ENTRY:
    case CatalogType::MACRO_ENTRY:
      return ObjectKind::kMacro;
    case CatalogType::TABLE_FUNCTION_ENTRY:
    case CatalogType::TABLE_MACRO_ENTRY:
      return ObjectKind::kTableMacro;
    case CatalogType::TYPE_ENTRY:
      return ObjectKind::kType;
    case CatalogType::SEQUENCE_ENTRY:
      return ObjectKind::kSequence;
    default:
      return std::nullopt;
  }
}

CatalogType CatalogTypeOf(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kView:
      return CatalogType::VIEW_ENTRY;
    case ObjectKind::kMacro:
      return CatalogType::MACRO_ENTRY;
    case ObjectKind::kTableMacro:
      return CatalogType::TABLE_MACRO_ENTRY;
    case ObjectKind::kType:
      return CatalogType::TYPE_ENTRY;
    case ObjectKind::kSequence:
      break;
  }
  return CatalogType::SEQUENCE_ENTRY;
}

std::shared_ptr<ObjectEntry> MakeObject(const std::string& schema, const duckdb::CreateInfo& made) {
  const auto info = made.Copy();
  info->catalog.clear();
  info->schema = schema;
  info->temporary = false;
  info->on_conflict = duckdb::OnCreateConflict::ERROR_ON_CONFLICT;
  info->dependencies = {};
  if (info->type == CatalogType::SEQUENCE_ENTRY) info->Cast<duckdb::CreateSequenceInfo>().usage_count = 0;
  auto object = std::make_shared<ObjectEntry>();
  object->schema_name = schema;
  object->kind = *ObjectKindOf(info->type);
  object->name = info->GetEntryName();
  object->made_at = NextMoment();
  info->sql = info->ToString();
  while (info->sql.ends_with(";;")) info->sql.pop_back();
  object->sql = info->sql;
  object->definition = ToBytes(*info);
  return object;
}

std::shared_ptr<duckdb::StandardEntry> MakeObjectEntry(duckdb::Catalog& catalog, duckdb::SchemaCatalogEntry& schema,
                                                       const std::shared_ptr<const ObjectEntry>& object) {
  const auto info = ReadInfo(*object);
  switch (object->kind) {
    case ObjectKind::kView:
      return std::make_shared<duckdb::ViewCatalogEntry>(catalog, schema, info->Cast<duckdb::CreateViewInfo>());
    case ObjectKind::kMacro:
      return std::make_shared<duckdb::ScalarMacroCatalogEntry>(catalog, schema, info->Cast<duckdb::CreateMacroInfo>());
    case ObjectKind::kTableMacro:
      return std::make_shared<duckdb::TableMacroCatalogEntry>(catalog, schema, info->Cast<duckdb::CreateMacroInfo>());
    case ObjectKind::kType:
      return std::make_shared<duckdb::TypeCatalogEntry>(catalog, schema, info->Cast<duckdb::CreateTypeInfo>());
    case ObjectKind::kSequence:
      break;
  }
  return std::make_shared<SqlSequence>(catalog, schema, info->Cast<duckdb::CreateSequenceInfo>(), object);
}

std::optional<CatalogType> SqlSchema::TypeOfName(SqlTransaction& transaction, ObjectKind kind,
                                                 const std::string& entry_name) {
  if (kind == ObjectKind::kView && transaction.Find(name, entry_name) != nullptr) return CatalogType::TABLE_ENTRY;
  if (transaction.FindObject(kind, name, entry_name) != nullptr) return CatalogTypeOf(kind);
  return std::nullopt;
}

// Makes room for an entry of the type; false when there is one and it stays.
bool SqlSchema::MakeRoom(SqlTransaction& transaction, CatalogType entry_type, const std::string& entry_name,
                         duckdb::OnCreateConflict on_conflict) {
  const ObjectKind kind = *ObjectKindOf(entry_type);
  const auto existing = TypeOfName(transaction, kind, entry_name);
  if (!existing) return true;
  switch (on_conflict) {
    case duckdb::OnCreateConflict::IGNORE_ON_CONFLICT:
      return false;
    case duckdb::OnCreateConflict::REPLACE_ON_CONFLICT:
      break;
    default:
      throw duckdb::CatalogException::EntryAlreadyExists(*existing, entry_name);
  }
  if (*existing != entry_type) ThrowOtherType(entry_name, *existing, "replace with", entry_type);
  DropNamed(transaction, *existing, entry_name, /*cascade=*/false);
  return true;
}

void SqlSchema::DropNamed(SqlTransaction& transaction, CatalogType entry_type, const std::string& entry_name,
                          bool cascade) {
  if (entry_type == CatalogType::TABLE_ENTRY) {
    const auto entry = transaction.Find(name, entry_name);
    CheckDroppable(transaction, *entry->definition);
    return DropWithOwned(transaction, entry, cascade);
  }
  const auto object = transaction.FindObject(*ObjectKindOf(entry_type), name, entry_name);
  DropTablesUsing(transaction, *object, cascade);
  if (transaction.FindObject(object->kind, name, entry_name) == nullptr) return;  // it went with its owner
  Check(transaction.impl().DropObject(object));
}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateObject(duckdb::CatalogTransaction transaction,
                                                                   const duckdb::CreateInfo& info) {
  sql_catalog_.CheckMayDefine();
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  const auto object = MakeObject(name, info);
  if (!MakeRoom(sql_transaction, info.type, object->name, info.on_conflict)) return nullptr;
  if (object->kind == ObjectKind::kSequence) {
    object->numbers = sql_catalog_.database()->catalog().NumbersOf(*object);
  }
  Check(sql_transaction.impl().CreateObject(object));
  return sql_transaction.Pin(*this, object);
}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateView(duckdb::CatalogTransaction transaction,
                                                                 duckdb::CreateViewInfo& info) {
  return CreateObject(transaction, info);
}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateSequence(duckdb::CatalogTransaction transaction,
                                                                     duckdb::CreateSequenceInfo& info) {
  return CreateObject(transaction, info);
}

duckdb::optional_ptr<duckdb::CatalogEntry> SqlSchema::CreateType(duckdb::CatalogTransaction transaction,
                                                                 duckdb::CreateTypeInfo& info) {
  const bool is_built_in = duckdb::TransformStringToLogicalTypeId(info.name) != duckdb::LogicalTypeId::UNBOUND;
  if (is_built_in && info.on_conflict == duckdb::OnCreateConflict::IGNORE_ON_CONFLICT) return nullptr;
  if (is_built_in) throw duckdb::CatalogException::EntryAlreadyExists(CatalogType::TYPE_ENTRY, info.name);
  return CreateObject(transaction, info);
}

void SqlSchema::DropEntry(duckdb::ClientContext& context, duckdb::DropInfo& info) {
  sql_catalog_.CheckMayDefine();
  SqlTransaction& transaction = SqlTransaction::Of(context, catalog);
  if (const auto table =
          info.type == CatalogType::INDEX_ENTRY ? transaction.FindTableOfIndex(name, info.name) : nullptr) {
    return Check(transaction.impl().AlterTable(table, DropIndex{info.name}));
  }
  const auto kind = ObjectKindOf(info.type);
  const auto existing = kind ? TypeOfName(transaction, *kind, info.name) : std::nullopt;
  if (!existing) {
    if (info.if_not_found == duckdb::OnEntryNotFound::RETURN_NULL) return;
    throw duckdb::CatalogException::MissingEntry(info.type, info.name, "");
  }
  if (*existing != info.type) ThrowOtherType(info.name, *existing, "drop", info.type);
  DropNamed(transaction, *existing, info.name, info.cascade);
}

// A comment, another name: the object is made anew.
void SqlSchema::AlterObject(duckdb::CatalogTransaction transaction, duckdb::AlterInfo& info,
                            const std::shared_ptr<const ObjectEntry>& object) {
  auto& sql_transaction = transaction.transaction->Cast<SqlTransaction>();
  if (info.type == duckdb::AlterType::CHANGE_OWNERSHIP) {
    const auto owner = FindOwner(sql_transaction, *object, info.Cast<duckdb::ChangeOwnershipInfo>());
    return SetOwner(sql_transaction, object, owner->definition->id);
  }
  const auto entry = MakeObjectEntry(catalog, *this, object);
  duckdb::unique_ptr<duckdb::CreateInfo> after;
  if (info.type == duckdb::AlterType::SET_COMMENT) {
    after = entry->GetInfo();
    after->comment = info.Cast<duckdb::SetCommentInfo>().comment_value;
  } else if (object->kind == ObjectKind::kView) {
    const bool names_column = info.type == duckdb::AlterType::SET_COLUMN_COMMENT;
    if (names_column) entry->Cast<duckdb::ViewCatalogEntry>().BindView(transaction.GetContext());
    after = entry->AlterEntry(transaction.GetContext(), info)->GetInfo();
  } else {
    throw duckdb::NotImplementedException(object->Description() + " can get a comment, but no other change");
  }
  const auto altered = MakeObject(name, *after);
  altered->made_at = object->made_at;
  altered->numbers = object->numbers;
  altered->owner_table_id = object->owner_table_id;
  const auto holder = TypeOfName(sql_transaction, object->kind, altered->name);
  const bool is_renamed = !duckdb::StringUtil::CIEquals(altered->name, object->name);
  if (holder && is_renamed) ThrowNameTaken(object->name, altered->name);
  Check(sql_transaction.impl().DropObject(object));
  Check(sql_transaction.impl().CreateObject(altered));
}

}  // namespace yarrow::sql
