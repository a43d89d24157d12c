#include "flush/table_flush.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "flush/segment_flush.h"
#include "flush/table_compaction.h"
#include "flush/table_job.h"
#include "flush/table_parts.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "store/home_process.h"
#include "yarrow/scan_iterator.h"

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
  if (options.min_user_rows.value_or(0) < 0) {
    return Status::Invalid("Flush of table ", name, ": min_user_rows is ", *options.min_user_rows, "; give 0 or more");
  }
  return Status::OK();
}

// What moved, in all and of each part.
struct Moved {
  FlushResult total;
  std::vector<MovedRows::Move> moves;
};

JobWork WorkOf(const FlushResult& result) {
  return {.rows = static_cast<uint64_t>(result.rows),
          .bytes = static_cast<uint64_t>(result.bytes),
          .files = static_cast<uint64_t>(result.files)};
}

Status FlushInto(const std::shared_ptr<const TableImpl>& table, const FlushOptions& options, Moved* moved) {
  FlushOptions counted = options;
  const int64_t before = moved->total.rows;
  counted.on_progress = [&](int64_t rows) { return options.on_progress(before + rows); };
  flush::SegmentFlush flush(table, counted);
  const Status status = flush.Run();
  moved->total.rows += flush.result().rows;
  moved->total.bytes += flush.result().bytes;
  moved->total.files += flush.result().files;
  const auto rows = static_cast<uint64_t>(flush.result().rows);
  if (rows > 0) moved->moves.push_back({PrefixRange(table->key_prefix()), flush.moved_at(), rows});
  return status;
}

Status FlushAll(const std::shared_ptr<TableImpl>& table, FlushOptions options, Moved* moved) {
  const TierPolicy& policy = table->definition().policy;
  if (!options.optimize_for) options.optimize_for = policy.optimize_for;
  const flush::PartsWith rows{.hot_rows = options.min_user_rows.value_or(policy.min_user_rows)};
  return flush::ForEachPart(table, rows, "flushed",
                            [&](const flush::TablePart& part) { return FlushInto(part, options, moved); });
}

uint64_t HotRows(const TableImpl& table) {
  const KeyRange rows = PrefixRange(table.entry().prefix);
  return table.store().ApproximateEntries(table.entry().partition, rows.lower, rows.upper);
}

// While no other job has the table. `moved` gets what has moved also when it fails.
Status RunFlush(const std::shared_ptr<TableImpl>& table, const FlushOptions& options, Moved* moved) {
  ARROW_ASSIGN_OR_RAISE(auto job, flush::TableJob::Start(*table, "flush", HotRows(*table), options.on_progress));
  const Status status = job->Do(
      options.on_progress, [&] { return WorkOf(moved->total); },
      [&](const OnProgress& report) {
        FlushOptions reported = options;
        reported.on_progress = report;
        // What is in segments when the table is altered meanwhile stays there.
        return flush::OnPresentTable(table, [&](const auto& present) { return FlushAll(present, reported, moved); });
      });
  ARROW_RETURN_NOT_OK(status);
  if (options.compact) {
    CompactOptions merges{.max_segment_rows = options.max_segment_rows};
    if (options.on_progress) merges.on_progress = [&](int64_t) { return options.on_progress(moved->total.rows); };
    ARROW_RETURN_NOT_OK(CompactHeldTable(table, merges));
  }
  return Status::OK();
}

// Few rows in few bytes are not worth the files that are written anew. Scans pass over them while the database is open;
// when it was opened anew they step over each row, which takes 2 ms for a thousand, backwards in a memtable.
constexpr uint64_t kMostLeftRows = 1000;
bool IsMuchLeft(const TableImpl& table, const std::vector<MovedRows::Move>& moves, uint64_t most_bytes) {
  uint64_t bytes = 0, rows = 0;
  for (const auto& move : moves) {
    bytes += table.store().ApproximateBytes(table.entry().partition, move.range.lower, move.range.upper);
    rows += move.rows;
  }
  return bytes > most_bytes || rows > kMostLeftRows;
}

}  // namespace

arrow::Result<FlushResult> FlushTable(const std::shared_ptr<TableImpl>& table, const FlushOptions& options,
                                      uint64_t most_left_bytes) {
  ARROW_RETURN_NOT_OK(CheckOptions(*table, options));
  Moved moved;
  const Status status = RunFlush(table, options, &moved);
  MovedRows& moved_rows = table->database().cold_tier()->moved_rows;
  if (IsMuchLeft(*table, moved.moves, most_left_bytes)) moved_rows.Add(std::move(moved.moves));
  ARROW_RETURN_NOT_OK(status);
  ARROW_UNUSED(table->database().RemoveDeletedFiles());  // what is left is tried again
  moved_rows.DropDue([&] { return !options.on_progress || options.on_progress(moved.total.rows).ok(); });
  return moved.total;
}

}  // namespace yarrow
