#include "flush/table_compaction.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "flush/compaction_policy.h"
#include "flush/segment_compaction.h"
#include "flush/table_job.h"
#include "flush/table_parts.h"
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

// The next merge of a part's segments that is due.
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

constexpr flush::PartsWith kWithSegments{.segments = true};

arrow::Result<CompactResult> RunJob(const std::shared_ptr<TableImpl>& table, const CompactOptions& options, Job& job) {
  CompactResult result;
  const auto done = [&] {
    return JobWork{.rows = static_cast<uint64_t>(result.rows),
                   .bytes = static_cast<uint64_t>(result.bytes),
                   .files = static_cast<uint64_t>(result.files_after)};
  };
  ARROW_RETURN_NOT_OK(job.Do(options.on_progress, done, [&](const OnProgress& report) {
    CompactOptions reported = options;
    reported.on_progress = report;
    result.files_before = CountFiles(*table);
    // What is merged when the table is altered meanwhile stays merged.
    ARROW_RETURN_NOT_OK(flush::OnPresentTable(table, [&](const auto& present) {
      return flush::ForEachPart(present, kWithSegments, "compacted",
                                [&](const flush::TablePart& part) { return CompactInto(part, reported, &result); });
    }));
    result.files_after = CountFiles(*table);
    return Status::OK();
  }));
  ARROW_UNUSED(table->database().RemoveDeletedFiles());  // what is left is tried again
  return result;
}

// Of the rows that are in segments now, which may all be written anew.
uint64_t RowsInSegments(const TableImpl& table) {
  return table.cold()->LastKnown()->index.TotalsIn({}, {}).rows;
}

}  // namespace

arrow::Result<bool> IsCompactionDue(const std::shared_ptr<TableImpl>& table) {
  return flush::AnyPart(table, kWithSegments, "compacted", [](const flush::TablePart& part) {
    return FindDue(*part, {}).Map([](const auto& due) { return due.has_value(); });
  });
}

arrow::Result<CompactResult> CompactHeldTable(const std::shared_ptr<TableImpl>& table, const CompactOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto job, table->StartJob("compaction", RowsInSegments(*table)));
  return RunJob(table, options, *job);
}

arrow::Result<CompactResult> CompactTable(const std::shared_ptr<TableImpl>& table, const CompactOptions& options) {
  ARROW_RETURN_NOT_OK(CheckOptions(*table, options));
  ARROW_ASSIGN_OR_RAISE(auto job,
                        flush::TableJob::Start(*table, "compaction", RowsInSegments(*table), options.on_progress));
  return RunJob(table, options, *job);
}

}  // namespace yarrow
