#include "write/index_build.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "row/constraint_violation.h"
#include "scan/cold_pieces.h"
#include "scan/morsels.h"
#include "scan/row_walker.h"
#include "store/guarded.h"
#include "table/user_rows.h"
#include "write/row_intake.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr uint64_t kSortBufferBytes = 128 << 20;
constexpr int64_t kRowsBetweenReports = 65536;

struct EntryTaker {
  EntryIntake* entries;
  int64_t taken = 0;
  Status Append(std::string_view key, std::string_view row) {
    ++taken;
    return entries->Add(key, row);
  }
  int64_t rows() const { return taken; }
  static bool full() { return false; }
};

// Reads rows in threads, which take one morsel after the other.
class PartReader {
 public:
  PartReader(std::shared_ptr<const ScanPlan> plan, const Snapshot& snapshot, const OnProgress& report,
             EntryIntakes* entries)
      : plan_(std::move(plan)), snapshot_(snapshot), report_(report), entries_(*entries) {}

  arrow::Result<int64_t> Read() {
    if (plan_->source.MayHaveSegments()) {
      ARROW_ASSIGN_OR_RAISE(ColdPieces pieces, FindColdPieces(*plan_, snapshot_));
      cold_ = std::make_shared<const ColdPieces>(std::move(pieces));
    }
    morsels_ = entries_.size() > 1 ? CutIntoMorsels(*plan_) : CutIntoStretches(*plan_, 1);
    const size_t threads = std::min(entries_.size(), std::max<size_t>(morsels_.size(), 1));
    ARROW_RETURN_NOT_OK(RunInThreads("yarrow-index", threads, &failed_, [&](size_t i) { return ReadMorsels(i); }));
    ARROW_RETURN_NOT_OK(report_(rows_));
    return rows_.load();
  }

 private:
  Status ReadMorsels(size_t thread) {
    RowWalker walker(plan_, snapshot_, &failed_);
    if (cold_) walker.UseCold(snapshot_, cold_);
    EntryTaker taker{.entries = &entries_[thread]};
    for (;;) {
      const size_t morsel = next_morsel_.fetch_add(1);
      if (morsel >= morsels_.size()) return Status::OK();
      walker.Start(morsels_[morsel]);
      while (!walker.at_end()) {
        const int64_t before = taker.rows();
        ARROW_RETURN_NOT_OK(walker.Walk(taker, before + kRowsBetweenReports));
        rows_ += taker.rows() - before;
        if (thread == 0) ARROW_RETURN_NOT_OK(report_(rows_));
      }
    }
  }

  const std::shared_ptr<const ScanPlan> plan_;
  const Snapshot& snapshot_;
  const OnProgress& report_;
  EntryIntakes& entries_;
  std::shared_ptr<const ColdPieces> cold_;  // null: none
  std::vector<Morsel> morsels_;
  std::atomic<size_t> next_morsel_{0};
  std::atomic<int64_t> rows_{0};
  std::atomic<bool> failed_{false};
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
    if (!entries_) entries_.emplace(*part, index, BuildThreads(*part), kSortBufferBytes);
    ARROW_RETURN_NOT_OK(entries_->Continue(index));
    const int64_t before = rows_;
    const auto report_all = [&](int64_t rows) { return report(rows_ = before + rows); };
    const std::vector<KeyRange> all = {PrefixRange(part->key_prefix())};
    ARROW_RETURN_NOT_OK(AddEntries(*part, index.front(), snapshot_, writes, all, report_all, &*entries_).status());
    if (!first_) first_ = part;
    last_ = std::move(part);
    return Status::OK();
  }

  Status Finish(const WriteSet::View& before, WriteSet* writes) {
    if (!entries_) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(EntryIntake* const all, entries_->Join());
    const Status status = all->WriteTo(snapshot_, before, writes, MostBytesInMemory(last_->store()));
    return ExplainRepeated(status, *last_, last_->indexes().back());
  }

 private:
  const std::shared_ptr<DatabaseImpl> database_;
  const std::shared_ptr<const TableEntry> entry_;
  const Snapshot& snapshot_;
  std::shared_ptr<const TableImpl> first_, last_;  // of the parts, whom the entries refer to
  std::optional<EntryIntakes> entries_;
  int64_t rows_ = 0;
};

}  // namespace

size_t BuildThreads(const TableImpl& table) {
  return static_cast<size_t>(table.database().settings().scan_threads);
}

arrow::Result<int64_t> AddEntries(const TableImpl& part, const TableIndex& index, const Snapshot& snapshot,
                                  const WriteSet::View& writes, std::vector<KeyRange> keys, const OnProgress& report,
                                  EntryIntakes* entries) {
  ScanRequest request;
  request.columns = index.keys.ReadColumns();
  request.fill_cache = false;
  request.keys = std::move(keys);
  request.threads = static_cast<int>(entries->size());
  ARROW_ASSIGN_OR_RAISE(auto plan, MakeScanPlan(part.MakeSource(writes), request));
  return PartReader(std::move(plan), snapshot, report, entries).Read();
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
