// The entities behind the system tables: one struct for the key and one for the rest of each table's rows, with their
// codecs. EntityStore<XKey, XRecord> over the partition SystemPartition(...) reads and writes them.
//
// A record is stored as an encoded row of its system table, so that the same bytes answer `EntityStore::Get` here and a
// scan of `system.x` there.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/system_tables.h"
#include "yarrow/codec.h"
#include "yarrow/entity_store.h"
#include "yarrow/tier_policy.h"
#include "yarrow/value.h"

namespace yarrow {

using Values = std::vector<Value>;

// The clock of the records' timestamps.
int64_t NowMicros();

// Each made in its place: from a list in braces they would be copied, and GCC 12 destroys copies that were never made
// when memory runs out between them.
template <class... Cells>
Values ValuesOf(const Cells&... cells) {
  Values values;
  values.reserve(sizeof...(cells));
  (values.emplace_back(cells), ...);
  return values;
}

struct SchemaKey {
  static constexpr SystemTableId kTable = SystemTableId::kSchemas;
  std::string schema_name;
  Values ToValues() const { return ValuesOf(schema_name); }
  static SchemaKey FromValues(const Values& v) { return {v[0].get<std::string>()}; }
};
struct SchemaRecord {
  static constexpr SystemTableId kTable = SystemTableId::kSchemas;
  int64_t created_at = 0;  // microseconds since 1970-01-01 UTC, as everywhere below
  Values ToValues() const { return ValuesOf(created_at); }
  static SchemaRecord FromValues(const Values& v) { return {v[0].get<int64_t>()}; }
};

struct TableKey {
  static constexpr SystemTableId kTable = SystemTableId::kTables;
  uint32_t table_id = 0;
  Values ToValues() const { return ValuesOf(table_id); }
  static TableKey FromValues(const Values& v) { return {static_cast<uint32_t>(v[0].get<uint64_t>())}; }
};
struct TableRecord {
  static constexpr SystemTableId kTable = SystemTableId::kTables;
  std::string schema_name;
  std::string table_name;
  std::string kind;         // TableKindName
  std::string primary_key;  // column names, as in SQL: a, "b c"
  uint32_t schema_version = 1;
  int64_t created_at = 0;
  TierPolicy policy = {};                // a field a column; NULL where it is off
  std::vector<std::string> checks = {};  // SQL
  std::string comment = {};              // NULL when empty
  Values ToValues() const;
  static TableRecord FromValues(const Values& v);
};

struct ColumnKey {
  static constexpr SystemTableId kTable = SystemTableId::kColumns;
  uint32_t table_id = 0;
  uint32_t column_id = 0;
  Values ToValues() const { return ValuesOf(table_id, column_id); }
  static ColumnKey FromValues(const Values& v) {
    return {static_cast<uint32_t>(v[0].get<uint64_t>()), static_cast<uint32_t>(v[1].get<uint64_t>())};
  }
};
struct ColumnRecord {
  static constexpr SystemTableId kTable = SystemTableId::kColumns;
  std::string schema_name;
  std::string table_name;
  std::string column_name;
  uint32_t position = 0;  // 1 and up; 0 when dropped
  std::string type;       // ColumnType::ToString
  bool nullable = true;
  std::optional<std::string> default_value;  // text form; Value::Parse reads it as one of `type`
  std::optional<uint32_t> key_position;      // 1 and up
  bool hidden = false;
  uint32_t added_version = 1;
  std::optional<uint32_t> dropped_version;
  std::optional<std::string> initial_value;  // as default_value
  std::optional<std::string> former_types;   // "2 INTEGER; 5 BIGINT": FormerType::until and type, oldest first
  std::optional<std::string> default_expression = {};     // SQL, in place of default_value
  std::optional<std::string> generation_expression = {};  // SQL; only of generated columns
  std::string comment = {};                               // NULL when empty
  std::string collation = {};                             // likewise
  Values ToValues() const;
  static ColumnRecord FromValues(const Values& v);
};

struct ObjectKey {
  static constexpr SystemTableId kTable = SystemTableId::kObjects;
  std::string schema_name;
  std::string kind;  // ObjectKindName
  std::string object_name;
  Values ToValues() const { return ValuesOf(schema_name, kind, object_name); }
  static ObjectKey FromValues(const Values& v) {
    return {v[0].get<std::string>(), v[1].get<std::string>(), v[2].get<std::string>()};
  }
};
struct ObjectRecord {
  static constexpr SystemTableId kTable = SystemTableId::kObjects;
  std::string sql;
  std::string definition;
  int64_t created_at = 0;
  std::optional<uint32_t> owner_table_id;
  Values ToValues() const;
  static ObjectRecord FromValues(const Values& v);
};

struct IndexKey {
  static constexpr SystemTableId kTable = SystemTableId::kIndexes;
  uint32_t table_id = 0;
  uint32_t index_id = 0;
  Values ToValues() const { return ValuesOf(table_id, index_id); }
  static IndexKey FromValues(const Values& v) {
    return {static_cast<uint32_t>(v[0].get<uint64_t>()), static_cast<uint32_t>(v[1].get<uint64_t>())};
  }
};
struct IndexRecord {
  static constexpr SystemTableId kTable = SystemTableId::kIndexes;
  std::string schema_name;
  std::string table_name;
  std::string index_name;  // NULL when empty: of a UNIQUE constraint
  std::vector<uint32_t> column_ids;
  std::string columns;  // their names, for people
  bool unique = false;
  bool is_building = false;                     // its entries are not all there
  std::optional<uint32_t> referenced_table_id;  // of a FOREIGN KEY
  std::vector<uint32_t> referenced_column_ids;  // likewise; NULL when empty
  std::string comment = {};                     // NULL when empty
  // NULL when empty: of its expressions.
  std::vector<std::string> expressions = {}, expression_types = {};
  std::vector<uint32_t> expression_column_ids = {};
  Values ToValues() const;
  static IndexRecord FromValues(const Values& v);
};

struct UserKey {
  static constexpr SystemTableId kTable = SystemTableId::kUsers;
  std::string user_id;
  Values ToValues() const { return ValuesOf(user_id); }
  static UserKey FromValues(const Values& v) { return {v[0].get<std::string>()}; }
};
struct UserRecord {
  static constexpr SystemTableId kTable = SystemTableId::kUsers;
  int64_t first_seen_at = 0;
  Values ToValues() const { return ValuesOf(first_seen_at); }
  static UserRecord FromValues(const Values& v) { return {v[0].get<int64_t>()}; }
};

struct JobKey {
  static constexpr SystemTableId kTable = SystemTableId::kJobs;
  uint64_t job_id = 0;
  Values ToValues() const { return ValuesOf(job_id); }
  static JobKey FromValues(const Values& v) { return {v[0].get<uint64_t>()}; }
};
struct JobRecord {
  static constexpr SystemTableId kTable = SystemTableId::kJobs;
  std::string kind;    // as in JobInfo
  std::string target;  // qualified table name
  std::string state;   // JobStateName
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::optional<std::string> error;
  int64_t started_at = 0;
  std::optional<int64_t> finished_at;
  std::optional<uint64_t> files = {};
  std::optional<double> progress = {};  // 0 to 1
  std::optional<double> duration = {};  // seconds, until it ended or was recorded last
  Values ToValues() const;
  static JobRecord FromValues(const Values& v);
};

struct SettingKey {
  static constexpr SystemTableId kTable = SystemTableId::kSettings;
  std::string name;
  Values ToValues() const { return ValuesOf(name); }
  static SettingKey FromValues(const Values& v) { return {v[0].get<std::string>()}; }
};
struct SettingRecord {
  static constexpr SystemTableId kTable = SystemTableId::kSettings;
  std::string value;
  std::string description;
  Values ToValues() const { return ValuesOf(value, description); }
  static SettingRecord FromValues(const Values& v) { return {v[0].get<std::string>(), v[1].get<std::string>()}; }
};

// Key parts and row fields of a system table, from and to Values in column order.
// Encoding cannot fail for values that a ToValues above made. A row of an older version has NULL for what it lacks.
void EncodeSystemKey(SystemTableId table, const Values& values, std::string* out);
arrow::Result<Values> DecodeSystemKey(SystemTableId table, std::string_view key);
void EncodeSystemRow(SystemTableId table, const Values& values, std::string* out);
arrow::Result<Values> DecodeSystemRow(SystemTableId table, std::string_view row);

template <class Key>
struct SystemKeyCodec {
  static void Encode(const Key& key, std::string* out) { EncodeSystemKey(Key::kTable, key.ToValues(), out); }
  static arrow::Result<Key> Decode(std::string_view bytes) {
    ARROW_ASSIGN_OR_RAISE(Values values, DecodeSystemKey(Key::kTable, bytes));
    return Key::FromValues(values);
  }
};
template <class Record>
struct SystemRecordCodec {
  static void Encode(const Record& record, std::string* out) {
    EncodeSystemRow(Record::kTable, record.ToValues(), out);
  }
  static arrow::Result<Record> Decode(std::string_view bytes) {
    ARROW_ASSIGN_OR_RAISE(Values values, DecodeSystemRow(Record::kTable, bytes));
    return Record::FromValues(values);
  }
};

template <class Key, class Record>
using SystemStore = EntityStore<Key, Record, SystemKeyCodec<Key>, SystemRecordCodec<Record>>;

}  // namespace yarrow
