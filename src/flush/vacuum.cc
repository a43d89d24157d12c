#include "flush/vacuum.h"

#include <utility>

#include "flush/table_compaction.h"
#include "key/key_range.h"
#include "key/record_key.h"

namespace yarrow {
namespace {

using arrow::Status;

// What tables have in the partition of rows.
constexpr RecordKind kKindsOfTables[] = {RecordKind::kRow, RecordKind::kManifest, RecordKind::kOverride,
                                         RecordKind::kKeyFilter, RecordKind::kDeletedFile};

Status MergeSegments(const std::shared_ptr<TableImpl>& table, const OnProgress& on_progress) {
  ARROW_ASSIGN_OR_RAISE(const bool is_due, IsCompactionDue(table));
  if (!is_due) return Status::OK();
  CompactOptions options;
  options.on_progress = on_progress;
  return CompactTable(table, options).status();
}

// `prefix_of`: of the keys of a kind.
template <class PrefixOf>
void DropFromRocksDb(DatabaseImpl* database, uint64_t sequence, const OnProgress& on_progress, PrefixOf prefix_of) {
  std::vector<MovedRows::Move> ranges;
  for (const RecordKind kind : kKindsOfTables) ranges.push_back({PrefixRange(prefix_of(kind)), sequence, 0});
  MovedRows& moved_rows = database->cold_tier()->moved_rows;
  moved_rows.Add(std::move(ranges));
  moved_rows.DropDue([&] { return !on_progress || on_progress(0).ok(); });
}

}  // namespace

Status VacuumTable(const std::shared_ptr<TableImpl>& table, uint64_t sequence, const OnProgress& on_progress) {
  if (table->definition().kind == TableKind::kSystem) {
    return Status::Invalid("Table ", table->definition().QualifiedName(),
                           " belongs to the database, which sees to its room; VACUUM tables of your own");
  }
  ARROW_RETURN_NOT_OK(MergeSegments(table, on_progress));
  DatabaseImpl& database = table->database();
  ARROW_UNUSED(database.RemoveDeletedFiles());  // what is left is tried again
  const uint32_t id = table->definition().id;
  DropFromRocksDb(&database, sequence, on_progress, [&](RecordKind kind) { return RecordPrefix(kind, id); });
  return on_progress ? on_progress(0) : Status::OK();
}

Status VacuumTables(DatabaseImpl* database, const std::vector<std::shared_ptr<TableImpl>>& tables, uint64_t sequence,
                    const OnProgress& on_progress) {
  for (const auto& table : tables) ARROW_RETURN_NOT_OK(MergeSegments(table, on_progress));
  ARROW_UNUSED(database->RemoveDeletedFiles());
  DropFromRocksDb(database, sequence, on_progress, [](RecordKind kind) { return RecordPrefix(kind); });
  return on_progress ? on_progress(0) : Status::OK();
}

}  // namespace yarrow
