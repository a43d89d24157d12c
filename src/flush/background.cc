#include "flush/background.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <utility>

#include "flush/row_expiry.h"
#include "flush/table_compaction.h"
#include "flush/table_flush.h"
#include "key/key_range.h"
#include "store/guarded.h"
#include "yarrow/scan_iterator.h"

namespace yarrow::flush {
namespace {

using arrow::Status;

constexpr std::chrono::milliseconds kBetweenLooks{200};
constexpr int64_t kBetweenRemovals = 60'000'000;

// Commits per second in bytes when the hot rows take that many times their budget: falls steeply, never to nothing.
uint64_t RateUnderPressure(uint64_t hot_bytes, uint64_t budget) {
  constexpr double kRateAtBudget = 64 << 20, kLeastRate = 256 << 10;
  const double fill = static_cast<double>(hot_bytes) / static_cast<double>(budget);
  return static_cast<uint64_t>(std::max(kLeastRate, kRateAtBudget / (fill * fill * fill * fill)));
}

// The estimates say little of few rows.
arrow::Result<bool> HasHotRows(const Store& store, const TableEntry& entry) {
  const KeyRange range = PrefixRange(entry.prefix);
  ScanCursor rows = store.Scan({.partition = entry.partition, .lower = range.lower, .upper = range.upper});
  const bool has_rows = rows.Next();
  ARROW_RETURN_NOT_OK(rows.status());
  return has_rows;
}

}  // namespace

Background::Background(DatabaseImpl* database) : database_(*database) {
  coordinator_ = std::thread([this] { Coordinate(); });
}

Background::~Background() {
  {
    std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  coordinator_.join();
  for (Worker& worker : workers_) worker.thread.join();
  database_.store()->SetWriteRate(0);
}

void Background::Coordinate() {
  pthread_setname_np(pthread_self(), "yarrow-tiers");
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kBetweenLooks, [&] { return is_stopping_.load(); })) {
    JoinDone();
    lock.unlock();
    if (const int64_t now = NowMicros(); now >= next_removal_) {
      next_removal_ = now + kBetweenRemovals;
      ARROW_UNUSED(RunGuarded([this] { return database_.RemoveDeletedFiles().status(); }));  // is tried again
    }
    lock.lock();
    // What it could not do, for want of memory say, the next look does.
    if (!is_stopping_) ARROW_UNUSED(RunGuarded([this] { LookAtTables(); }));
  }
}

// So that the age of rows that were there before goes on.
void Background::ReadLastFlushes() {
  last_flushes_.emplace();
  for (const auto& entry : database_.catalog().jobs().ScanIter()) {
    const auto job = entry.value();
    if (!job.ok()) return;  // who asks for system.jobs is told
    if (job->kind == "flush" && job->state == "completed") (*last_flushes_)[job->target] = job->finished_at.value_or(0);
  }
}

TierWatch& Background::WatchOf(const TableEntry& entry) {
  const auto at = watches_.find(entry.definition->id);
  if (at != watches_.end()) return at->second;
  if (!last_flushes_) ReadLastFlushes();
  const auto flushed = last_flushes_->find(entry.definition->QualifiedName());
  const int64_t since = flushed == last_flushes_->end() ? NowMicros() : flushed->second;
  return watches_.emplace(entry.definition->id, TierWatch(since)).first->second;
}

// Without the rows that have moved and wait to be dropped.
HotFigures Background::Measure(const TableEntry& entry) const {
  const KeyRange range = PrefixRange(entry.prefix);
  const Store& store = *database_.store();
  const uint64_t stored = store.ApproximateEntries(entry.partition, range.lower, range.upper);
  HotFigures figures = MeasureChanges(entry);
  figures.rows = stored - std::min(stored, figures.waiting);
  const double share = stored == 0 ? 1 : static_cast<double>(figures.rows) / static_cast<double>(stored);
  const auto bytes = static_cast<double>(store.ApproximateBytes(entry.partition, range.lower, range.upper));
  figures.bytes = static_cast<uint64_t>(share * bytes);
  return figures;
}

HotFigures Background::MeasureChanges(const TableEntry& entry) const {
  return {.last_write = entry.guard->last_commit_sequence(),
          .manifest = ManifestOf(entry),
          .waiting = database_.cold_tier()->moved_rows.CountIn(PrefixRange(entry.prefix))};
}

// Of a table that nobody has opened there is nothing new.
uint64_t Background::ManifestOf(const TableEntry& entry) const {
  const auto cold = database_.FindCold(entry.definition->id);
  return cold == nullptr ? 0 : cold->LastKnown()->number;
}

TierPolicy Background::PolicyOf(const TableEntry& entry) const {
  TierPolicy policy = entry.definition->policy;
  if (!policy.flush_bytes) policy.flush_bytes = static_cast<uint64_t>(database_.settings().flush_bytes.load());
  return policy;
}

void Background::ListTables() {
  const auto view = database_.catalog().View();
  if (view->version() == tables_version_) return;
  tables_version_ = view->version();
  tables_ = view->Tables();
  std::erase_if(tables_, [](const auto& entry) { return entry->definition->kind == TableKind::kSystem; });
  std::set<uint32_t> ids;
  for (const auto& entry : tables_) ids.insert(entry->definition->id);
  std::erase_if(watches_, [&](const auto& watch) { return !watch.second.is_at_work() && !ids.contains(watch.first); });
}

// Where nothing was written and time alone makes nothing due, no table is looked at.
void Background::LookAtTables() {
  const int64_t now = NowMicros();
  LaunchDropOfMovedRows();  // before flushes: what waits there looks much like rows to flush
  const uint64_t sequence = database_.store()->LatestSequence();
  if (sequence == looked_at_ && !looks_again_) return;
  looks_again_ = sequence != looked_at_;  // a commit counts for its table a moment after it can be seen
  looked_at_ = sequence;
  ListTables();
  for (const auto& entry : tables_) looks_again_ |= LookAt(entry, now);
  looks_again_ |= Relieve(now);
}

bool Background::LookAt(const std::shared_ptr<const TableEntry>& entry, int64_t now) {
  TierWatch& watch = WatchOf(*entry);
  const TierPolicy policy = PolicyOf(*entry);
  const HotFigures before = MeasureChanges(*entry);
  if (!watch.MustLook(policy, before)) return before.waiting > 0;
  const DueJob due = watch.Look(policy, Measure(*entry), now);
  if (due != DueJob::kNone && HasFreeWorker()) Launch(entry, due, now);
  const HotFigures after = MeasureChanges(*entry);
  return watch.MustLook(policy, after) || after.waiting > 0;  // dropping rows is no commit
}

// Over the budget, the table with most hot rows is flushed whatever its thresholds are.
bool Background::Relieve(int64_t now) {
  const auto budget = static_cast<uint64_t>(database_.settings().hot_tier_budget.load());
  uint64_t hot_bytes = 0;
  for (const auto& [id, watch] : watches_) hot_bytes += watch.hot_bytes();
  if (budget == 0 || hot_bytes <= budget) {
    database_.store()->SetWriteRate(0);
    return false;
  }
  database_.store()->SetWriteRate(RateUnderPressure(hot_bytes, budget));
  if (!HasFreeWorker()) return true;
  std::shared_ptr<const TableEntry> largest;
  for (const auto& entry : tables_) {
    const auto watch = watches_.find(entry->definition->id);
    if (watch == watches_.end() || !watch->second.may_flush(now) || watch->second.hot_bytes() == 0) continue;
    if (!largest || watches_.at(largest->definition->id).hot_bytes() < watch->second.hot_bytes()) largest = entry;
  }
  if (largest) Launch(largest, DueJob::kFlush, now);
  return true;
}

bool Background::HasFreeWorker() const {
  return static_cast<int>(workers_.size()) < database_.settings().background_jobs;
}

void Background::JoinDone() {
  for (auto worker = workers_.begin(); worker != workers_.end();) {
    if (!worker->is_done) {
      ++worker;
      continue;
    }
    worker->thread.join();
    worker = workers_.erase(worker);
  }
}

void Background::Launch(const std::shared_ptr<const TableEntry>& entry, DueJob job, int64_t now) {
  WatchOf(*entry).Begin(job, Measure(*entry), now);
  if (!Run([this, entry, job] { Work(entry, job); })) {
    WatchOf(*entry).End(std::nullopt, PolicyOf(*entry), Measure(*entry), now);
  }
}

void Background::LaunchDropOfMovedRows() {
  MovedRows& moved = database_.cold_tier()->moved_rows;
  if (!HasFreeWorker() || !moved.HasDue()) return;
  Run([this, &moved] { moved.DropDue([this] { return !is_stopping_; }); });
}

bool Background::Run(std::function<void()> work) {
  Worker& worker = workers_.emplace_back();
  auto thread = StartThread("yarrow-tier-job", [this, &worker, run = std::move(work)] {
    ARROW_UNUSED(RunGuarded(run));
    std::lock_guard lock(mutex_);
    worker.is_done = true;
  });
  if (!thread.ok()) {
    workers_.pop_back();
    return false;
  }
  worker.thread = *std::move(thread);
  return true;
}

void Background::Work(const std::shared_ptr<const TableEntry>& entry, DueJob job) {
  std::optional<uint64_t> moved;
  ARROW_UNUSED(RunGuarded([&]() -> Status {
    ARROW_ASSIGN_OR_RAISE(const auto table, TableImpl::Make(database_.shared_from_this(), entry, {}));
    if (job == DueJob::kFlush) moved = Flush(entry, table);
    if (job == DueJob::kExpiry && Expire(table)) moved = 0;
    if (job == DueJob::kCompaction && CompactIfDue(table).ok()) moved = 0;
    return Status::OK();
  }));
  std::lock_guard lock(mutex_);
  WatchOf(*entry).End(moved, PolicyOf(*entry), Measure(*entry), NowMicros());
}

std::optional<uint64_t> Background::Flush(const std::shared_ptr<const TableEntry>& entry,
                                          const std::shared_ptr<TableImpl>& table) {
  const auto has_rows = HasHotRows(*database_.store(), *entry);
  if (!has_rows.ok()) return std::nullopt;
  if (!*has_rows) return 0;
  // Its next look counts what RocksDB has of the table.
  const auto flushed = FlushTable(table, {.on_progress = WhileOpen()}, /*most_left_bytes=*/0);
  if (!flushed.ok()) return std::nullopt;
  ARROW_UNUSED(CompactIfDue(table));  // the job before it did its work, whatever becomes of this
  return static_cast<uint64_t>(flushed->rows);
}

Status Background::CompactIfDue(const std::shared_ptr<TableImpl>& table) {
  ARROW_ASSIGN_OR_RAISE(const bool is_due, IsCompactionDue(table));
  return is_due ? CompactTable(table, {.on_progress = WhileOpen()}).status() : Status::OK();
}

bool Background::Expire(const std::shared_ptr<TableImpl>& table) {
  const auto expired = ExpireRows(table, WhileOpen());
  if (expired.ok() && *expired > 0) ARROW_UNUSED(CompactIfDue(table));
  return expired.ok();
}

std::function<Status(int64_t rows)> Background::WhileOpen() const {
  return [this](int64_t) { return is_stopping_ ? Status::Cancelled("the database was closed") : Status::OK(); };
}

}  // namespace yarrow::flush
