#include "flush/table_compaction.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "flush/compaction_policy.h"
#include "flush/failed_users.h"
#include "flush/present_table.h"
#include "flush/segment_compaction.h"
#include "flush/table_job.h"
#include "store/home_process.h"

namespace yarrow {
namespace {

using arrow::Status;

Status CheckOptions(const TableImpl& table, const CompactOptions& options) {
  const std::string name = table.definition().QualifiedName();
  if (table.definition().kind == TableKind::kSystem) {
    return Status::Invalid("Table ", name, " belongs to the database; its rows always stay in RocksDB");
  }
  if (options.max_segment_rows < 1) {
    return Status::Invalid("Compaction of table ", name, ": max_segment_rows is ", options.max_segment_rows,
                           "; give 1 or more");
  }
  return Status::OK();
}

int64_t CountFiles(const TableImpl& table) {
  return static_cast<int64_t>(table.cold()->Latest()->index.TotalsIn({}, {}).segments);
}

// The next merge of the reader's segments that is due.
struct DueMerge {
  ColdSegments segments;
  uint32_t level = 0;
  bool is_last = false;  // nothing is left to merge after it, but what is overridden meanwhile
};
arrow::Result<std::optional<DueMerge>> FindDue(const TableImpl& table, const CompactOptions& options) {
  ColdSegments segments = table.cold()->Latest()->In(PrefixRange(table.key_prefix()));
  std::ranges::sort(segments, {}, [](const auto& segment) { return segment->key().segment_id; });
  const Snapshot snapshot = table.store().GetSnapshot();
  std::vector<flush::SegmentFigures> figures;
  for (const auto& segment : segments) {
    ARROW_ASSIGN_OR_RAISE(const auto dropped, segment->Dropped(snapshot, {}));
    const cold::SegmentInfo& info = segment->info();
    figures.push_back(
        {.first_key = info.first_key(),
         .last_key = info.last_key,
         .level = segment->level(),
         .rows = info.rows,
         .overridden = dropped.cardinality(),
         .has_other_layout = options.optimize_for && info.layout != flush::LayoutOf(*options.optimize_for)});
  }
  const auto full_rows = static_cast<uint64_t>(options.max_segment_rows);
  // All at once only when not too many of them have to be open at one place of the merge; else they are made fewer
  // first.
  const bool all = options.full && flush::MostOverlapping(figures) <= flush::kMostAtOnce;
  const auto pick = all ? flush::PickAll(figures, full_rows) : flush::PickCompaction(figures, full_rows);
  if (!pick) return std::nullopt;
  DueMerge due{.segments = {}, .level = pick->level, .is_last = all};
  for (const size_t i : pick->segments) due.segments.push_back(segments[i]);
  return due;
}

// Merge after merge, until none is due.
Status CompactInto(const std::shared_ptr<const TableImpl>& table, const CompactOptions& options, CompactResult* total) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(auto due, FindDue(*table, options));
    if (!due) return Status::OK();
    CompactOptions counted = options;
    const int64_t before = total->rows;
    counted.on_progress = [&](int64_t rows) { return options.on_progress(before + rows); };
    flush::SegmentCompaction merge(table, counted, std::move(due->segments), due->level);
    ARROW_RETURN_NOT_OK(merge.Run());
    total->rows += merge.rows();
    total->bytes += merge.bytes();
    if (due->is_last) return Status::OK();
  }
}

// Visits what is merged by itself: the table, or each user's part of it that has segments.
Status ForEachPart(const std::shared_ptr<TableImpl>& table,
                   const std::function<Status(const std::shared_ptr<const TableImpl>& part)>& visit) {
  if (table->definition().kind == TableKind::kShared) return visit(table);
  const std::vector<std::string> users = table->cold()->Latest()->Users();
  const auto database = table->database().shared_from_this();
  const auto entry = std::make_shared<const TableEntry>(table->entry());
  flush::FailedUsers failed;
  for (const std::string& user : users) {
    ARROW_ASSIGN_OR_RAISE(const auto of_user, TableImpl::Make(database, entry, user));
    ARROW_RETURN_NOT_OK(failed.Note(*of_user, visit(of_user)));
  }
  return failed.ToStatus(*table, users.size(), "compacted");
}

// Again when the table was altered meanwhile: what is merged by then stays merged.
Status CompactPresent(const std::shared_ptr<TableImpl>& table, const CompactOptions& options, CompactResult* total) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto present, flush::WithPresentDefinition(table));
    const Status status = ForEachPart(present, [&](const auto& part) { return CompactInto(part, options, total); });
    if (status.ok() || !present->IsOutdated()) return status;
  }
}

arrow::Result<CompactResult> RunJob(const std::shared_ptr<TableImpl>& table, const CompactOptions& options, Job& job) {
  CompactResult result;
  CompactOptions reported = options;
  const auto work = [&](int64_t rows) {
    return JobWork{.rows = static_cast<uint64_t>(rows), .bytes = static_cast<uint64_t>(result.bytes)};
  };
  reported.on_progress = [&](int64_t rows) {
    ARROW_RETURN_NOT_OK(job.Report(work(rows)));
    return options.on_progress ? options.on_progress(rows) : Status::OK();
  };
  const Status status = [&] {
    result.files_before = CountFiles(*table);
    ARROW_RETURN_NOT_OK(CompactPresent(table, reported, &result));
    result.files_after = CountFiles(*table);
    return Status::OK();
  }();
  JobWork done = work(result.rows);
  done.files = static_cast<uint64_t>(result.files_after);
  ARROW_RETURN_NOT_OK(job.Finish(status, done));
  ARROW_UNUSED(table->database().RemoveDeletedFiles());  // what is left is tried again
  return result;
}

// Of the rows that are in segments now, which may all be written anew.
uint64_t ColdRows(const TableImpl& table) {
  return table.cold()->LastKnown()->index.TotalsIn({}, {}).rows;
}

}  // namespace

arrow::Result<bool> IsCompactionDue(const std::shared_ptr<TableImpl>& table) {
  bool is_due = false;
  const Status status = ForEachPart(table, [&](const auto& part) -> Status {
    if (is_due) return Status::OK();
    return FindDue(*part, {}).Map([](const auto& due) { return due.has_value(); }).Value(&is_due);
  });
  if (!is_due) ARROW_RETURN_NOT_OK(status);
  return is_due;
}

arrow::Result<CompactResult> CompactHeldTable(const std::shared_ptr<TableImpl>& table, const CompactOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto job, table->StartJob("compaction", ColdRows(*table)));
  return RunJob(table, options, *job);
}

arrow::Result<CompactResult> CompactTable(const std::shared_ptr<TableImpl>& table, const CompactOptions& options) {
  ARROW_RETURN_NOT_OK(CheckOptions(*table, options));
  ARROW_ASSIGN_OR_RAISE(auto job, flush::TableJob::Start(*table, "compaction", ColdRows(*table), options.on_progress));
  return RunJob(table, options, *job);
}

}  // namespace yarrow
