#include "write/index_build.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "row/constraint_violation.h"
#include "scan/row_walker.h"
#include "table/user_rows.h"
#include "write/row_intake.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr uint64_t kSortBufferBytes = 128 << 20;
constexpr int64_t kRowsBetweenReports = 65536;

struct EntryTaker {
  EntryIntake* entries;
  StretchTaken taken = {};
  Status Append(std::string_view key, std::string_view row) {
    ++taken.rows;
    taken.last_key = key;
    return entries->Add(key, row);
  }
  int64_t rows() const { return taken.rows; }
  static bool full() { return false; }
};

class IndexBuild {
 public:
  IndexBuild(std::shared_ptr<DatabaseImpl> database, std::shared_ptr<const TableEntry> entry, const Snapshot& snapshot)
      : database_(std::move(database)), entry_(std::move(entry)), snapshot_(snapshot) {}
  uint64_t rows() const { return static_cast<uint64_t>(rows_); }

  // The rows of a user; of a shared table, all.
  Status AddPart(const std::string& user, const WriteSet::View& writes, const OnProgress& report) {
    ARROW_ASSIGN_OR_RAISE(auto part, TableImpl::Make(database_, entry_, user));
    const std::span<const TableIndex> index = std::span(part->indexes()).last(1);
    if (!entries_) entries_.emplace(*part, index, kSortBufferBytes);
    entries_->Continue(index);
    const int64_t before = rows_;
    const auto report_all = [&](int64_t rows) { return report(rows_ = before + rows); };
    const RowStretch all{.keys = {PrefixRange(part->key_prefix())}};
    ARROW_RETURN_NOT_OK(AddEntries(*part, index.front(), snapshot_, writes, all, report_all, &*entries_).status());
    if (!first_) first_ = part;
    last_ = std::move(part);
    return Status::OK();
  }

  Status Finish(const WriteSet::View& before, WriteSet* writes) {
    if (!entries_) return Status::OK();
    const Status status = entries_->WriteTo(snapshot_, before, writes, MostBytesInMemory(last_->store()));
    return ExplainRepeated(status, *last_, last_->indexes().back());
  }

 private:
  const std::shared_ptr<DatabaseImpl> database_;
  const std::shared_ptr<const TableEntry> entry_;
  const Snapshot& snapshot_;
  std::shared_ptr<const TableImpl> first_, last_;  // of the parts, whom the entries refer to
  std::optional<EntryIntake> entries_;
  int64_t rows_ = 0;
};

}  // namespace

arrow::Result<StretchTaken> AddEntries(const TableImpl& part, const TableIndex& index, const Snapshot& snapshot,
                                       const WriteSet::View& writes, const RowStretch& stretch,
                                       const OnProgress& report, EntryIntake* entries) {
  ScanRequest request;
  request.columns = index.keys.ReadColumns();
  request.fill_cache = false;
  request.keys = stretch.keys;
  ARROW_ASSIGN_OR_RAISE(const auto plan, MakeScanPlan(part.MakeSource(writes), request));
  const std::atomic<bool> cancelled{false};
  RowWalker walker(plan, snapshot, &cancelled);
  walker.Start(plan->ranges);
  EntryTaker taker{.entries = entries};
  while (!walker.at_end() && taker.rows() < stretch.most_rows) {
    const int64_t left = stretch.most_rows - taker.rows();
    ARROW_RETURN_NOT_OK(walker.Walk(taker, taker.rows() + std::min(left, kRowsBetweenReports)));
    ARROW_RETURN_NOT_OK(report(taker.rows()));
  }
  return std::move(taker.taken);
}

Status ExplainRepeated(const Status& status, const TableImpl& table, const TableIndex& index) {
  if (!status.IsAlreadyExists()) return status;
  const std::string name = table.definition().QualifiedName(), columns = index.keys.ColumnNames();
  const std::string what = table.definition().kind == TableKind::kUser
                               ? "Table " + name + ": two of the rows of a user share values of (" + columns + ")"
                               : status.message();
  return DuplicateDataViolation(what + "; change or delete rows of table " + name + " that share values of (" +
                                columns + ") first");
}

Status BuildIndex(const std::shared_ptr<DatabaseImpl>& database, const std::shared_ptr<const TableEntry>& entry,
                  const Snapshot& snapshot, const std::string& user, const OnProgress& on_progress, WriteSet* writes) {
  ARROW_ASSIGN_OR_RAISE(const auto any, TableImpl::Make(database, entry, user));
  ARROW_ASSIGN_OR_RAISE(const auto users, PartsOf(*any, snapshot));
  ARROW_ASSIGN_OR_RAISE(const auto job, any->StartJob("index build"));
  writes->Seal();
  const WriteSet::View before = writes->GetView();
  IndexBuild build(database, entry, snapshot);
  const auto done = [&] { return JobWork{.rows = build.rows()}; };
  return job->Do(on_progress, done, [&](const OnProgress& report) {
    for (const std::string& one : users) ARROW_RETURN_NOT_OK(build.AddPart(one, before, report));
    return build.Finish(before, writes);
  });
}

}  // namespace yarrow
