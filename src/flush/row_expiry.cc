#include "flush/row_expiry.h"

#include <algorithm>
#include <limits>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "flush/failed_users.h"
#include "flush/present_table.h"
#include "flush/table_job.h"
#include "predicate/row_predicate.h"
#include "scan/row_walker.h"
#include "store/home_process.h"
#include "table/user_rows.h"
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

// The due rows of one reader.
class ReaderExpiry {
 public:
  static arrow::Result<std::unique_ptr<ReaderExpiry>> Make(std::shared_ptr<TableImpl> table, int64_t now) {
    auto expiry = std::unique_ptr<ReaderExpiry>(new ReaderExpiry(std::move(table)));
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
  explicit ReaderExpiry(std::shared_ptr<TableImpl> table) : table_(std::move(table)) {}

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

// The readers of a table: itself, or each user with rows in any tier.
arrow::Result<std::vector<std::shared_ptr<TableImpl>>> Readers(const std::shared_ptr<TableImpl>& table) {
  if (table->definition().kind == TableKind::kShared) return std::vector{table};
  ARROW_ASSIGN_OR_RAISE(const auto hot, UsersWithRows(table->entry(), table->store(), {}, 1));
  std::set<std::string> users(hot.begin(), hot.end());
  for (std::string& user : table->cold()->Latest()->Users()) users.insert(std::move(user));
  const auto database = table->database().shared_from_this();
  const auto entry = std::make_shared<const TableEntry>(table->entry());
  std::vector<std::shared_ptr<TableImpl>> readers;
  for (const std::string& user : users) {
    ARROW_ASSIGN_OR_RAISE(auto reader, TableImpl::Make(database, entry, user));
    readers.push_back(std::move(reader));
  }
  return readers;
}

arrow::Result<bool> HasDueRows(const std::shared_ptr<TableImpl>& table, int64_t now, const GoesOn& goes_on) {
  ARROW_ASSIGN_OR_RAISE(const auto readers, Readers(table));
  flush::FailedUsers failed;
  for (const auto& reader : readers) {
    bool is_due = false;
    const Status status = [&] {
      ARROW_ASSIGN_OR_RAISE(const auto expiry, ReaderExpiry::Make(reader, now));
      return expiry->Next(1, goes_on).Map([](const auto& keys) { return !keys.empty(); }).Value(&is_due);
    }();
    ARROW_RETURN_NOT_OK(failed.Note(*reader, status));
    if (is_due) return true;
  }
  ARROW_RETURN_NOT_OK(failed.ToStatus(*table, readers.size(), "looked through for expired ones"));
  return false;
}

Status ExpireOf(const std::shared_ptr<TableImpl>& reader, int64_t now, const GoesOn& goes_on, int64_t* rows) {
  ARROW_ASSIGN_OR_RAISE(const auto expiry, ReaderExpiry::Make(reader, now));
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto keys, expiry->Next(kRowsOfACommit, goes_on));
    if (keys.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const int64_t deleted, expiry->Delete(keys));
    *rows += deleted;
    ARROW_RETURN_NOT_OK(goes_on());
  }
}

Status Expire(const std::shared_ptr<TableImpl>& table, int64_t now, const GoesOn& goes_on, int64_t* rows) {
  ARROW_ASSIGN_OR_RAISE(const auto readers, Readers(table));
  flush::FailedUsers failed;
  for (const auto& reader : readers) {
    ARROW_RETURN_NOT_OK(failed.Note(*reader, ExpireOf(reader, now, goes_on, rows)));
  }
  return failed.ToStatus(*table, readers.size(), "expired");
}

// With the present definition; again when the table was altered meanwhile.
Status OnPresent(const std::shared_ptr<TableImpl>& table,
                 const std::function<Status(const std::shared_ptr<TableImpl>& present)>& work) {
  for (;;) {
    ARROW_ASSIGN_OR_RAISE(const auto present, flush::WithPresentDefinition(table));
    if (!present->definition().policy.expires()) {
      return Status::Invalid("Table ", present->definition().QualifiedName(),
                             ": no row expires; name a column in ttl_column and a time in ttl");
    }
    const Status status = work(present);
    if (status.ok() || !present->IsOutdated()) return status;
  }
}

}  // namespace

arrow::Result<int64_t> ExpireRows(const std::shared_ptr<TableImpl>& table,
                                  const std::function<Status(int64_t rows)>& on_progress) {
  const int64_t now = NowMicros();
  int64_t rows = 0;
  const GoesOn goes_on = [&] { return on_progress ? on_progress(rows) : Status::OK(); };
  bool has_due = false;
  ARROW_RETURN_NOT_OK(OnPresent(table, [&](const std::shared_ptr<TableImpl>& present) {
    return HasDueRows(present, now, goes_on).Value(&has_due);
  }));
  if (!has_due) return 0;
  ARROW_ASSIGN_OR_RAISE(auto job, flush::TableJob::Start(*table, "expiry", 0, on_progress));
  const GoesOn reported = [&] {
    ARROW_RETURN_NOT_OK(job->Report({.rows = static_cast<uint64_t>(rows)}));
    return goes_on();
  };
  const Status status = OnPresent(
      table, [&](const std::shared_ptr<TableImpl>& present) { return Expire(present, now, reported, &rows); });
  ARROW_RETURN_NOT_OK(job->Finish(status, {.rows = static_cast<uint64_t>(rows)}));
  return rows;
}

}  // namespace yarrow
