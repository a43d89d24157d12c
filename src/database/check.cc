#include "database/check.h"

#include <arrow/record_batch.h>

#include <atomic>
#include <numeric>
#include <set>
#include <utility>

#include "batch/batch_builder.h"
#include "cold/verify_segment.h"
#include "key/record_key.h"
#include "scan/cold_pieces.h"
#include "scan/row_walker.h"
#include "scan/scan_plan.h"
#include "store/system_error.h"
#include "store/system_partition.h"
#include "table/table_impl.h"
#include "table/user_rows.h"
#include "write/reference_check.h"
#include "yarrow/scan_iterator.h"

namespace yarrow {
namespace {

using arrow::Status;

class Checker {
 public:
  Checker(std::shared_ptr<DatabaseImpl> database, Partition rows, const DatabaseCheckOptions& options,
          CheckReport* report)
      : database_(std::move(database)),
        rows_(rows),
        snapshot_(database_->store()->GetSnapshot()),
        options_(options),
        report_(report) {}

  Status CheckTable(const std::shared_ptr<const TableEntry>& entry);
  Status CheckLog();
  // Records of the cold tier without a segment or a table.
  Status CheckLeftovers();

 private:
  // Takes every row that a walk meets.
  class RowTaker;

  void AddProblem(std::string problem);
  // `wrong` with the table; but what is for want of something, of descriptors, say, is an error of the check.
  Status AddProblemOf(const TableDefinition& table, const Status& wrong);
  Status CheckRows(const std::shared_ptr<TableImpl>& table);
  Status CountEntries(const TableImpl& table, const TableIndex& index, uint64_t rows);
  Status CheckSegments(const TableImpl& table, const Manifest& manifest);
  Status CheckSegment(const TableImpl& table, const ColdSegment& segment);
  arrow::Result<std::set<std::pair<uint32_t, cold::SegmentId>>> KnownSegments();
  template <class Check>
  Status ForEachKey(RecordKind kind, const Check& check) const;

  const std::shared_ptr<DatabaseImpl> database_;
  const Partition rows_;
  const Snapshot snapshot_;
  const DatabaseCheckOptions& options_;
  CheckReport* const report_;
  size_t problems_before_ = 0;  // of other tables
  std::set<uint32_t> table_ids_;
};

void Checker::AddProblem(std::string problem) {
  const size_t found = report_->problems.size() - problems_before_;
  if (found < CheckReport::kMostProblems) {
    report_->problems.push_back(std::move(problem));
  } else if (found == CheckReport::kMostProblems) {
    report_->problems.emplace_back().assign("there are more problems of this kind, which are not listed");
  }
}

Status Checker::AddProblemOf(const TableDefinition& table, const Status& wrong) {
  if (wrong.IsCancelled() || IsWant(wrong)) return wrong;
  AddProblem("table " + table.QualifiedName() + ": " + wrong.message());
  return Status::OK();
}

Status Checker::CheckLog() {
  const Status log = database_->store()->CheckLog();
  if (IsWant(log)) return log;
  if (!log.ok()) AddProblem(log.message());
  return Status::OK();
}

// Keys must ascend, rows must decode and have their entries in all indexes.
class Checker::RowTaker {
 public:
  RowTaker(Checker* checker, const TableImpl& table, std::unique_ptr<BatchBuilder> builder)
      : checker_(checker), table_(table), name_(table.definition().QualifiedName()), builder_(std::move(builder)) {}

  Status Append(std::string_view key, std::string_view row) {
    ++rows_;
    if (!last_.empty() && key <= last_) {
      checker_->AddProblem("table " + name_ + ": key " + FormatKey(key) +
                           (key == last_ ? " is there twice" : " is out of order"));
    }
    last_ = key;
    const Status appended = builder_->Append(key, row);
    if (!appended.ok()) checker_->AddProblem("table " + name_ + ": " + appended.message());
    for (const TableIndex& index : table_.indexes()) {
      if (!index.definition->is_building) ARROW_RETURN_NOT_OK(CheckEntry(index, key, row));
    }
    if (builder_->rows() < kBatchRows && !builder_->full()) return Status::OK();
    ARROW_RETURN_NOT_OK(builder_->Finish().status());
    if (!checker_->options_.on_progress) return Status::OK();
    return checker_->options_.on_progress(name_, checker_->report_->tables.back().rows + rows_);
  }
  int64_t rows() const { return 0; }  // it never has enough
  bool full() const { return false; }
  uint64_t taken() const { return rows_; }

 private:
  Status CheckEntry(const TableIndex& index, std::string_view key, std::string_view row) {
    const Status made = index.keys.MakeEntry(key, row, &entry_);
    if (!made.ok()) return checker_->AddProblemOf(table_.definition(), made);
    PinnedValue stored;
    ARROW_ASSIGN_OR_RAISE(const bool is_there,
                          table_.store().Get(checker_->rows_, entry_.key, &stored, checker_->snapshot_));
    if (is_there && stored.view() == entry_.value) return Status::OK();
    checker_->AddProblem("table " + name_ + ": " + table_.Describe(index) + " has " +
                         (is_there ? "the entry of another row for" : "no entry of") + " the row with " +
                         table_.row_schema()->DescribeKey(key));
    return Status::OK();
  }

  Checker* const checker_;
  const TableImpl& table_;
  IndexEntry entry_;
  const std::string name_;
  const std::unique_ptr<BatchBuilder> builder_;
  std::string last_;
  uint64_t rows_ = 0;
};

Status Checker::CheckTable(const std::shared_ptr<const TableEntry>& entry) {
  const TableDefinition& definition = *entry->definition;
  if (definition.kind == TableKind::kSystem) return Status::OK();
  table_ids_.insert(definition.id);
  report_->tables.push_back({.name = definition.QualifiedName()});
  problems_before_ = report_->problems.size();
  ARROW_ASSIGN_OR_RAISE(const auto cold, database_->OpenCold(*entry));
  const auto manifest = cold->At(snapshot_);
  if (!manifest.ok()) return AddProblemOf(definition, manifest.status());
  std::set<std::string> users{""};  // a shared table has its rows without a name
  if (definition.kind == TableKind::kUser) {
    ARROW_ASSIGN_OR_RAISE(users, UsersOf(*entry, *database_->store(), snapshot_, 1, manifest->get()));
  }
  for (const std::string& user : users) {
    ARROW_ASSIGN_OR_RAISE(const auto table, TableImpl::Make(database_, entry, user));
    const size_t found = report_->problems.size();
    ARROW_RETURN_NOT_OK(CheckSegments(*table, **manifest));
    // Rows of a segment that is damaged cannot be walked over.
    if (report_->problems.size() == found) ARROW_RETURN_NOT_OK(CheckRows(table));
  }
  return Status::OK();
}

// Both tiers in key order.
Status Checker::CheckRows(const std::shared_ptr<TableImpl>& table) {
  ScanRequest request;
  request.fill_cache = false;
  request.columns.resize(table->row_schema()->columns().size());
  std::iota(request.columns.begin(), request.columns.end(), 0);
  ARROW_ASSIGN_OR_RAISE(const auto plan, MakeScanPlan(table->MakeSource({}), request));
  ARROW_ASSIGN_OR_RAISE(auto builder, plan->decoded->TakeBuilder(nullptr));
  RowTaker taker(this, *table, std::move(builder));
  const std::atomic<bool> cancelled{false};
  RowWalker walker(plan, snapshot_, &cancelled);
  walker.Start(plan->ranges);
  while (!walker.at_end()) {
    const Status walked = walker.Walk(taker, INT64_MAX);
    if (!walked.ok()) {
      ARROW_RETURN_NOT_OK(AddProblemOf(table->definition(), walked));
      break;
    }
  }
  report_->tables.back().rows += taker.taken();
  for (const TableIndex& index : table->indexes()) {
    if (!index.definition->is_building) ARROW_RETURN_NOT_OK(CountEntries(*table, index, taker.taken()));
    if (!index.definition->references) continue;
    const Status found = FindOrphan(*table, index, snapshot_);
    if (!found.ok()) ARROW_RETURN_NOT_OK(AddProblemOf(table->definition(), found));
  }
  return Status::OK();
}

// Each row has its own, so as many entries as rows are no others.
Status Checker::CountEntries(const TableImpl& table, const TableIndex& index, uint64_t rows) {
  const KeyRange all = PrefixRange(index.keys.prefix());
  ScanCursor entries = database_->store()->Scan(
      {.partition = rows_, .lower = all.lower, .upper = all.upper, .snapshot = snapshot_, .fill_cache = false});
  uint64_t count = 0;
  while (entries.Next()) ++count;
  ARROW_RETURN_NOT_OK(entries.status());
  if (count == rows) return Status::OK();
  AddProblem("table " + table.definition().QualifiedName() + ": " + table.Describe(index) + " has " +
             std::to_string(count) + " entries for " + std::to_string(rows) + " rows");
  return Status::OK();
}

Status Checker::CheckSegments(const TableImpl& table, const Manifest& manifest) {
  for (const auto& segment : manifest.In(PrefixRange(table.key_prefix()))) {
    ++report_->tables.back().segments;
    report_->tables.back().files_bytes += segment->info().bytes;
    const Status checked = CheckSegment(table, *segment);
    if (!checked.ok()) ARROW_RETURN_NOT_OK(AddProblemOf(table.definition(), checked));
    if (options_.on_progress) {
      ARROW_RETURN_NOT_OK(options_.on_progress(report_->tables.back().name, report_->tables.back().rows));
    }
  }
  return Status::OK();
}

Status Checker::CheckSegment(const TableImpl& table, const ColdSegment& segment) {
  const cold::ManifestKey& key = segment.key();
  const std::string what = "segment " + std::to_string(key.segment_id);
  ARROW_ASSIGN_OR_RAISE(const auto opened, segment.Open());
  PinnedValue stored;
  ARROW_ASSIGN_OR_RAISE(
      const bool has_filter,
      database_->store()->Get(rows_, cold::EncodeKeyFilterKey(key.table_id, key.segment_id), &stored, snapshot_));
  if (!has_filter) return Status::Invalid(what, " has no key filter");
  ARROW_ASSIGN_OR_RAISE(const auto filter, cold::KeyFilter::Decode(std::string(stored.view()), what));
  ARROW_RETURN_NOT_OK(cold::VerifySegment(*opened, table.row_schema(), table.key_prefix(), &filter));
  ARROW_ASSIGN_OR_RAISE(const auto dropped, segment.Dropped(snapshot_, {}));
  if (dropped.Rank(UINT32_MAX) == dropped.Rank(segment.info().rows)) return Status::OK();
  return Status::Invalid(what, " has ", segment.info().rows, " rows, but overrides of rows behind them");
}

template <class Check>
Status Checker::ForEachKey(RecordKind kind, const Check& check) const {
  const KeyRange all = PrefixRange(RecordPrefix(kind));
  ScanCursor entries = database_->store()->Scan(
      {.partition = rows_, .lower = all.lower, .upper = all.upper, .snapshot = snapshot_, .fill_cache = false});
  while (entries.Next()) ARROW_RETURN_NOT_OK(check(entries.key()));
  return entries.status();
}

arrow::Result<std::set<std::pair<uint32_t, cold::SegmentId>>> Checker::KnownSegments() {
  std::set<std::pair<uint32_t, cold::SegmentId>> known;
  ARROW_RETURN_NOT_OK(ForEachKey(RecordKind::kManifest, [&](std::string_view stored) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto key, cold::DecodeManifestKey(stored));
    known.emplace(key.table_id, key.segment_id);
    if (table_ids_.count(key.table_id) == 0) {
      AddProblem("segment " + std::to_string(key.segment_id) + " belongs to table " + std::to_string(key.table_id) +
                 ", which is not there");
    }
    return Status::OK();
  }));
  return known;
}

Status Checker::CheckLeftovers() {
  problems_before_ = report_->problems.size();
  ARROW_ASSIGN_OR_RAISE(const auto known, KnownSegments());
  // Overrides of segments that were removed as a whole may stay until the file goes.
  std::set<std::pair<uint32_t, cold::SegmentId>> known_or_removed = known;
  for (const DeletedFile& file : database_->cold_tier()->deleted.List()) {
    known_or_removed.emplace(file.key.table_id, file.key.segment_id);
  }
  std::pair<uint32_t, cold::SegmentId> last{0, 0};
  const auto check = [&](const char* what, const auto& there, uint32_t table_id, cold::SegmentId segment_id) {
    const std::pair segment(table_id, segment_id);
    if (segment != last && there.count(segment) == 0) {
      AddProblem("table " + std::to_string(table_id) + ": " + what + " of segment " + std::to_string(segment_id) +
                 ", which is not there");
    }
    last = segment;
  };
  ARROW_RETURN_NOT_OK(ForEachKey(RecordKind::kOverride, [&](std::string_view stored) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto key, cold::DecodeOverrideKey(stored));
    check("overrides", known_or_removed, key.table_id, key.segment_id);
    return Status::OK();
  }));
  last = {0, 0};
  return ForEachKey(RecordKind::kKeyFilter, [&](std::string_view stored) -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto key, cold::DecodeKeyFilterKey(stored));
    check("a key filter", known, key.table_id, key.segment_id);
    return Status::OK();
  });
}

}  // namespace

arrow::Result<CheckReport> CheckDatabase(const std::shared_ptr<DatabaseImpl>& database,
                                         const DatabaseCheckOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Partition rows, OpenSystemPartition(*database->store(), "rows"));
  CheckReport report;
  Checker checker(database, rows, options, &report);
  ARROW_RETURN_NOT_OK(checker.CheckLog());
  for (const auto& entry : database->catalog().View()->Tables()) ARROW_RETURN_NOT_OK(checker.CheckTable(entry));
  ARROW_RETURN_NOT_OK(checker.CheckLeftovers());
  return report;
}

}  // namespace yarrow
