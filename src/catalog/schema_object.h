// What a schema has besides tables: views, macros, types and sequences, by the SQL that makes them. Only the SQL layer
// understands it.
#pragma once

#include <arrow/result.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace yarrow {

class IdCounter;

enum class ObjectKind : uint8_t { kView, kMacro, kTableMacro, kType, kSequence };

// As in system.objects: "view", "macro", "table macro", "type", "sequence".
std::string_view ObjectKindName(ObjectKind kind);
// Invalid for another name: of a newer Yarrow.
arrow::Result<ObjectKind> ParseObjectKind(std::string_view name);

// One object, from its creation to its end: another one that gets the name later is another entry. Immutable. Views
// share their names with the tables of the schema, the other kinds have names of their own.
struct ObjectEntry {
  ObjectKind kind = ObjectKind::kView;
  std::string schema_name;
  std::string name;
  std::string sql;              // for people
  std::string definition;       // bytes of the SQL layer, sql/schema_objects.h
  int64_t made_at = 0;          // microseconds since 1970; no two of a process are the same
  uint32_t owner_table_id = 0;  // of a sequence: it goes with this table; 0, or one that is no more: with none
  // "view main.v", for messages.
  std::string Description() const;

  // How many numbers a sequence has given. Shared by all versions of the entry, null for other kinds.
  std::shared_ptr<IdCounter> numbers;

  // As of a table.
  std::shared_ptr<std::atomic<uint64_t>> ended_at = std::make_shared<std::atomic<uint64_t>>(0);
  std::shared_ptr<std::atomic<uint64_t>> created_at = std::make_shared<std::atomic<uint64_t>>(0);
};

}  // namespace yarrow
