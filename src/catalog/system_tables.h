// The system tables: what they are called, which columns they have, in which partition their rows lie.
//
// Each lies in a partition of its own, named like the table, as ordinary encoded rows: scans of a system table run
// through the same cursor, predicate and decoder as any other.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "row/row_schema.h"
#include "yarrow/table_definition.h"

namespace yarrow {

// Object ids; never renumber. Ids of users' tables start at kFirstTableId.
enum class SystemTableId : uint32_t {
  kSchemas = 1,
  kTables = 2,
  kColumns = 3,
  kUsers = 4,
  kJobs = 5,
  kSettings = 6,
  kStats = 7,
  kSegments = 8,
  kObjects = 9,
  kIndexes = 10,
};
// Its rows are made at each scan; it has no partition.
constexpr bool IsComputed(SystemTableId id) {
  return id == SystemTableId::kStats || id == SystemTableId::kSegments;
}
inline constexpr uint32_t kFirstTableId = 1000;

inline constexpr std::string_view kSystemSchema = "system";
inline constexpr std::string_view kMainSchema = "main";

std::span<const SystemTableId> AllSystemTables();
std::shared_ptr<const TableDefinition> SystemTableDefinition(SystemTableId id);
std::shared_ptr<const RowSchema> SystemTableRowSchema(SystemTableId id);
// "system.tables"
std::string SystemPartition(SystemTableId id);

}  // namespace yarrow
