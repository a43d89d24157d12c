#include "flush/row_expiry.h"

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flush/table_job.h"
#include "flush/table_parts.h"
#include "predicate/row_predicate.h"
#include "scan/row_walker.h"
#include "store/home_process.h"
#include "write/transaction_impl.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr int64_t kRowsOfACommit = 4096;
constexpr uint64_t kRowsBetweenChecks = 50'000;
constexpr int64_t kMicrosOfASecond = 1'000'000;

// The whole multiple of `unit` at or above.
int64_t CeilDivide(int64_t micros, int64_t unit) {
  return micros / unit + (micros % unit > 0 ? 1 : 0);
}

// The first value of the column that is not due at `now`, in microseconds; nothing when all of them are younger.
std::optional<int64_t> FirstKept(const ColumnType& type, int64_t now, int64_t ttl) {
  const int64_t cutoff = now - ttl * kMicrosOfASecond;
  if (type.id == TypeId::kDate32) return CeilDivide(cutoff, 24 * 60 * 60 * kMicrosOfASecond);
  switch (type.unit) {
    case TimeUnit::kSecond:
      return CeilDivide(cutoff, kMicrosOfASecond);
    case TimeUnit::kMilli:
      return CeilDivide(cutoff, 1000);
    case TimeUnit::kMicro:
      return cutoff;
    case TimeUnit::kNano:
      if (cutoff < std::numeric_limits<int64_t>::min() / 1000) return std::nullopt;
      return cutoff * 1000;
  }
  return std::nullopt;
}

Predicate DueRows(const TableDefinition& table, int64_t now) {
  const auto column = std::ranges::find(table.columns, table.policy.ttl_column, &ColumnDefinition::name);
  const auto kept = FirstKept(column->type, now, table.policy.ttl);
  if (!kept) return Predicate::False();
  return Predicate::Compare(static_cast<int>(column - table.columns.begin()), Predicate::Op::kLt, Value(*kept));
}

// An error when the work is to end.
using GoesOn = std::function<Status()>;

struct KeyTaker {
  std::vector<std::string> keys;
  Status Append(std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return Status::OK();
  }
  int64_t rows() const { return static_cast<int64_t>(keys.size()); }
  bool full() const { return false; }
};

// The due rows of one part.
class PartExpiry {
 public:
  static arrow::Result<std::unique_ptr<PartExpiry>> Make(std::shared_ptr<TableImpl> table, int64_t now) {
    auto expiry = std::unique_ptr<PartExpiry>(new PartExpiry(std::move(table)));
    const Predicate due = DueRows(expiry->table_->definition(), now);
    ARROW_ASSIGN_OR_RAISE(expiry->is_due_, RowPredicate::Compile(due, expiry->table_->row_schema()));
    ScanRequest request;
    request.fill_cache = false;
    request.predicate = due;
    ARROW_ASSIGN_OR_RAISE(auto plan, MakeScanPlan(expiry->table_->MakeSource({}), request));
    expiry->walker_ = std::make_unique<RowWalker>(plan, expiry->table_->store().GetSnapshot(), &expiry->cancelled_);
    expiry->walker_->Start(plan->ranges);
    return expiry;
  }

  // The next keys that were due when it was made; none at the end.
  arrow::Result<std::vector<std::string>> Next(int64_t most, const GoesOn& goes_on) {
    KeyTaker taker;
    while (taker.rows() < most && !walker_->at_end()) {
      ARROW_RETURN_NOT_OK(goes_on());
      ARROW_RETURN_NOT_OK(walker_->Walk(taker, most, kRowsBetweenChecks));
    }
    return std::move(taker.keys);
  }

  // Deletes those that are due still, in one commit, or in several when others write them meanwhile. The number.
  arrow::Result<int64_t> Delete(std::span<const std::string> keys) {
    int64_t deleted = 0;
    const Status status = TryDelete(keys, &deleted);
    if (status.ok()) return deleted;
    if (!IsConflict(status) || table_->IsOutdated()) return status;
    if (keys.size() == 1) return Delete(keys);
    ARROW_ASSIGN_OR_RAISE(const int64_t first, Delete(keys.first(keys.size() / 2)));
    ARROW_ASSIGN_OR_RAISE(const int64_t second, Delete(keys.subspan(keys.size() / 2)));
    return first + second;
  }

 private:
  explicit PartExpiry(std::shared_ptr<TableImpl> table) : table_(std::move(table)) {}

  Status TryDelete(std::span<const std::string> keys, int64_t* deleted) {
    TransactionImpl transaction(table_->database().shared_from_this(), table_->user());
    RowPredicate::Evaluator is_due(is_due_);
    RowChanges changes = transaction.Changes();
    for (const std::string& key : keys) {
      ARROW_ASSIGN_OR_RAISE(const auto row, changes.GetEncoded(*table_, key));
      if (!row || !is_due.Matches(key, row->encoded_row())) {
        ARROW_RETURN_NOT_OK(is_due.status());
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(const bool is_deleted, changes.DeleteEncoded(*table_, key));
      *deleted += is_deleted ? 1 : 0;
    }
    transaction.Touch(table_);
    return transaction.Commit();
  }

  const std::shared_ptr<TableImpl> table_;
  std::shared_ptr<const RowPredicate> is_due_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<RowWalker> walker_;
};

constexpr flush::PartsWith kWithRows{.hot_rows = 1, .segments = true};

arrow::Result<bool> HasDueRows(const std::shared_ptr<TableImpl>& table, int64_t now, const GoesOn& goes_on) {
  return flush::AnyPart(table, kWithRows, "looked through for expired ones",
                        [&](const flush::TablePart& part) -> arrow::Result<bool> {
                          ARROW_ASSIGN_OR_RAISE(const auto expiry, PartExpiry::Make(part, now));
                          return expiry->Next(1, goes_on).Map([](const auto& keys) { return !keys.empty(); });
                        });
}

Status ExpirePart(const flush::TablePart& part, int64_t now, const GoesOn& goes_on, int64_t* rows) {
  ARROW_ASSIGN_OR_RAISE(const auto expiry, PartExpiry::Make(part, now));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto keys, expiry->Next(kRowsOfACommit, goes_on));
    if (keys.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t deleted, expiry->Delete(keys));
    *rows += deleted;
    ARROW_RETURN_NOT_OK(goes_on());
  }
}

Status CheckExpires(const TableImpl& table) {
  if (table.definition().policy.expires()) return Status::OK();
  return Status::Invalid("Table ", table.definition().QualifiedName(),
                         ": no row expires; name a column in ttl_column and a time in ttl");
}

}  // namespace

arrow::Result<int64_t> ExpireRows(const std::shared_ptr<TableImpl>& table, const OnProgress& on_progress) {
  const int64_t now = NowMicros();
  int64_t rows = 0;
  bool has_due = false;
  ARROW_RETURN_NOT_OK(flush::OnPresentTable(table, [&](const std::shared_ptr<TableImpl>& present) {
    ARROW_RETURN_NOT_OK(CheckExpires(*present));
    const GoesOn goes_on = [&] { return on_progress ? on_progress(rows) : Status::OK(); };
    return HasDueRows(present, now, goes_on).Value(&has_due);
  }));
  if (!has_due) return 0;
  ARROW_ASSIGN_OR_RAISE(auto job, flush::TableJob::Start(*table, "expiry", 0, on_progress));
  const auto done = [&] { return JobWork{.rows = static_cast<uint64_t>(rows)}; };
  ARROW_RETURN_NOT_OK(job->Do(on_progress, done, [&](const OnProgress& report) {
    return flush::OnPresentTable(table, [&](const std::shared_ptr<TableImpl>& present) {
      ARROW_RETURN_NOT_OK(CheckExpires(*present));
      return flush::ForEachPart(present, kWithRows, "expired", [&](const flush::TablePart& part) {
        return ExpirePart(
            part, now, [&] { return report(rows); }, &rows);
      });
    });
  }));
  return rows;
}

}  // namespace yarrow
