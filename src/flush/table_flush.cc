#include "flush/table_flush.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "flush/segment_flush.h"
#include "flush/table_compaction.h"
#include "key/key_codec.h"
#include "key/record_key.h"
#include "table/job.h"
#include "table/user_rows.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/table.h"

namespace yarrow {
namespace {

using arrow::Status;

Status CheckOptions(const TableImpl& table, const FlushOptions& options) {
  const std::string name = table.definition().QualifiedName();
  if (table.definition().kind == TableKind::kSystem) {
    return Status::Invalid("Table ", name, " belongs to the database; its rows always stay in RocksDB");
  }
  if (options.max_segment_rows < 1) {
    return Status::Invalid("Flush of table ", name, ": max_segment_rows is ", options.max_segment_rows,
                           "; give 1 or more");
  }
  if (options.min_user_rows < 0) {
    return Status::Invalid("Flush of table ", name, ": min_user_rows is ", options.min_user_rows, "; give 0 or more");
  }
  return Status::OK();
}

Status FlushInto(const std::shared_ptr<const TableImpl>& table, const FlushOptions& options, FlushResult* total) {
  FlushOptions counted = options;
  const int64_t before = total->rows;
  if (options.on_progress) {
    counted.on_progress = [&](int64_t rows) { return options.on_progress(before + rows); };
  }
  flush::SegmentFlush flush(table, counted);
  const Status status = flush.Run();
  total->rows += flush.result().rows;
  total->bytes += flush.result().bytes;
  total->files += flush.result().files;
  return status;
}

Status FlushAll(const std::shared_ptr<TableImpl>& table, const FlushOptions& options, FlushResult* total) {
  if (table->definition().kind == TableKind::kShared) return FlushInto(table, options, total);
  ARROW_ASSIGN_OR_RAISE(const auto users, UsersWithRows(table->entry(), table->store(), {}, options.min_user_rows));
  const auto database = table->database().shared_from_this();
  const auto entry = std::make_shared<const TableEntry>(table->entry());
  for (const std::string& user : users) {
    ARROW_ASSIGN_OR_RAISE(const auto of_user, TableImpl::Make(database, entry, user));
    ARROW_RETURN_NOT_OK(FlushInto(of_user, options, total));
  }
  return Status::OK();
}

// The table with its present definition, which segments are written by; as it is when nobody else knows of it yet.
arrow::Result<std::shared_ptr<TableImpl>> WithPresentDefinition(const std::shared_ptr<TableImpl>& table) {
  auto latest = table->database().catalog().FindLatest(table->entry());
  if (latest.get() == &table->entry()) return table;
  if (latest) return TableImpl::Make(table->database().shared_from_this(), std::move(latest), table->user());
  ARROW_RETURN_NOT_OK(table->CheckReadable({}));
  return table;
}

// Again when the table was altered meanwhile: what is in segments by then stays there.
Status FlushPresent(const std::shared_ptr<TableImpl>& table, const FlushOptions& options, FlushResult* total) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto present, WithPresentDefinition(table));
    const Status status = FlushAll(present, options, total);
    if (status.ok() || !present->IsOutdated()) return status;
  }
}

}  // namespace

arrow::Result<FlushResult> FlushTable(const std::shared_ptr<TableImpl>& table, const FlushOptions& options) {
  ARROW_RETURN_NOT_OK(CheckOptions(*table, options));
  std::unique_lock moving(table->cold()->move_mutex(), std::try_to_lock);
  if (!moving) {
    return Status::Invalid("Table ", table->definition().QualifiedName(),
                           " is being flushed or compacted already; try again when that is done");
  }
  ARROW_ASSIGN_OR_RAISE(Job job, Job::Start(*table, "flush"));
  FlushResult result;
  const Status status = FlushPresent(table, options, &result);
  job.Finish(status, static_cast<uint64_t>(result.rows), static_cast<uint64_t>(result.bytes));
  ARROW_RETURN_NOT_OK(status);
  if (options.compact) {
    CompactOptions merges{.max_segment_rows = options.max_segment_rows};
    if (options.on_progress) merges.on_progress = [&](int64_t) { return options.on_progress(result.rows); };
    ARROW_RETURN_NOT_OK(CompactHeldTable(table, merges));
  }
  ARROW_UNUSED(table->database().RemoveDeletedFiles());  // what is left is tried again
  return result;
}

arrow::Result<FlushResult> Table::Flush(const FlushOptions& options) {
  return FlushTable(impl_, options);
}

}  // namespace yarrow
