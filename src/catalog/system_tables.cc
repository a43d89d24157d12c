#include "catalog/system_tables.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "catalog/table_schema.h"

namespace yarrow {
namespace {

struct SystemColumn {
  const char* name;
  ColumnType type;
  bool nullable;
  uint32_t added_version = 1;
};

struct SystemTableSource {
  SystemTableId id;
  const char* name;
  size_t key_columns;  // the first ones
  std::vector<SystemColumn> columns;
};

const ColumnType& UtcMicros() {
  static const ColumnType type = ColumnType::Timestamp(TimeUnit::kMicro, "UTC");
  return type;
}

// On disk: a column may be added at the end of a list (as a new schema version), never moved or retyped.
std::vector<SystemTableSource> Sources() {
  const ColumnType text = TypeId::kUtf8, u32 = TypeId::kUInt32, u64 = TypeId::kUInt64, i64 = TypeId::kInt64,
                   boolean = TypeId::kBool, real = TypeId::kDouble;
  return {
      {SystemTableId::kSchemas, "schemas", 1, {{"schema_name", text, false}, {"created_at", UtcMicros(), false}}},
      {SystemTableId::kTables,
       "tables",
       1,
       {{"table_id", u32, false},
        {"schema_name", text, false},
        {"table_name", text, false},
        {"kind", text, false},
        {"primary_key", text, false},
        {"schema_version", u32, false},
        {"created_at", UtcMicros(), false},
        {"flush_rows", u64, true, 2},
        {"flush_bytes", u64, true, 2},
        {"flush_age", i64, true, 2},
        {"min_user_rows", i64, true, 2},
        {"optimize_for", text, true, 2},
        {"ttl_column", text, true, 2},
        {"ttl", i64, true, 2},
        {"checks", ColumnType::List(text), true, 3},
        {"comment", text, true, 3}}},
      {SystemTableId::kColumns,
       "columns",
       2,
       {{"table_id", u32, false},
        {"column_id", u32, false},
        {"schema_name", text, false},
        {"table_name", text, false},
        {"column_name", text, false},
        {"position", u32, false},
        {"data_type", text, false},
        {"is_nullable", boolean, false},
        {"column_default", text, true},
        {"key_position", u32, true},
        {"is_hidden", boolean, false},
        {"added_version", u32, false},
        {"dropped_version", u32, true},
        {"initial_value", text, true, 2},
        {"former_types", text, true, 2},
        {"default_expression", text, true, 3},
        {"generation_expression", text, true, 3},
        {"comment", text, true, 3},
        {"collation_name", text, true, 3}}},
      {SystemTableId::kUsers, "users", 1, {{"user_id", text, false}, {"first_seen_at", UtcMicros(), false}}},
      {SystemTableId::kJobs,
       "jobs",
       1,
       {{"job_id", u64, false},
        {"kind", text, false},
        {"target", text, false},
        {"state", text, false},
        {"rows", u64, false},
        {"bytes", u64, false},
        {"error", text, true},
        {"started_at", UtcMicros(), false},
        {"finished_at", UtcMicros(), true},
        {"files", u64, true, 2},
        {"progress", real, true, 2},
        {"duration", real, true, 2}}},
      {SystemTableId::kSettings,
       "settings",
       1,
       {{"name", text, false}, {"value", text, false}, {"description", text, false}}},
      {SystemTableId::kStats, "stats", 1, {{"name", text, false}, {"value", u64, false}, {"unit", text, false}}},
      {SystemTableId::kSegments,
       "segments",
       2,
       {{"table_id", u32, false},
        {"segment_id", u64, false},
        {"user_id", text, true},
        {"level", u32, false},
        {"rows", u64, false},
        {"dropped_rows", u64, false},
        {"bytes", u64, false},
        {"row_groups", u32, false},
        {"optimized_for", text, false},
        {"schema_version", u32, false},
        {"path", text, false},
        {"sha256", text, false}}},
      {SystemTableId::kObjects,
       "objects",
       3,
       {{"schema_name", text, false},
        {"kind", text, false},
        {"object_name", text, false},
        {"sql", text, false},
        {"definition", TypeId::kBinary, false},
        {"created_at", UtcMicros(), false},
        {"owner_table_id", u32, true}}},
      {SystemTableId::kIndexes,
       "indexes",
       2,
       {{"table_id", u32, false},
        {"index_id", u32, false},
        {"schema_name", text, false},
        {"table_name", text, false},
        {"index_name", text, true},
        {"column_ids", ColumnType::List(u32), false},
        {"columns", text, false},
        {"is_unique", boolean, false},
        {"is_building", boolean, false},
        {"referenced_table_id", u32, true},
        {"referenced_column_ids", ColumnType::List(u32), true},
        {"comment", text, true},
        {"expressions", ColumnType::List(text), true},
        {"expression_types", ColumnType::List(text), true},
        {"expression_column_ids", ColumnType::List(u32), true}}},
  };
}

struct SystemTableEntry {
  std::shared_ptr<const TableDefinition> definition;
  std::shared_ptr<const RowSchema> row_schema;
};

SystemTableEntry MakeEntry(const SystemTableSource& source) {
  auto definition = std::make_shared<TableDefinition>();
  definition->id = static_cast<uint32_t>(source.id);
  definition->schema_name = kSystemSchema;
  definition->name = source.name;
  definition->kind = TableKind::kSystem;
  for (const SystemColumn& column : source.columns) {
    ColumnDefinition made;
    made.id = static_cast<uint32_t>(definition->columns.size()) + 1;
    made.name = column.name;
    made.type = column.type;
    made.nullable = column.nullable;
    made.added_version = column.added_version;
    definition->schema_version = std::max(definition->schema_version, column.added_version);
    definition->columns.push_back(std::move(made));
    if (definition->columns.size() <= source.key_columns)
      definition->primary_key.push_back(definition->columns.back().id);
  }
  SystemTableEntry entry;
  entry.row_schema = MakeRowSchema(*definition, 0).ValueOrDie();  // our own constants: cannot fail
  entry.definition = std::move(definition);
  return entry;
}

const std::map<SystemTableId, SystemTableEntry>& Entries() {
  static const std::map<SystemTableId, SystemTableEntry> entries = [] {
    std::map<SystemTableId, SystemTableEntry> made;
    for (const SystemTableSource& source : Sources()) made.emplace(source.id, MakeEntry(source));
    return made;
  }();
  return entries;
}

constexpr std::array kAll = {SystemTableId::kSchemas, SystemTableId::kTables,   SystemTableId::kColumns,
                             SystemTableId::kUsers,   SystemTableId::kJobs,     SystemTableId::kSettings,
                             SystemTableId::kStats,   SystemTableId::kSegments, SystemTableId::kObjects,
                             SystemTableId::kIndexes};

}  // namespace

std::span<const SystemTableId> AllSystemTables() {
  return kAll;
}

std::shared_ptr<const TableDefinition> SystemTableDefinition(SystemTableId id) {
  return Entries().at(id).definition;
}

std::shared_ptr<const RowSchema> SystemTableRowSchema(SystemTableId id) {
  return Entries().at(id).row_schema;
}

std::string SystemPartition(SystemTableId id) {
  return SystemTableDefinition(id)->QualifiedName();
}

}  // namespace yarrow
