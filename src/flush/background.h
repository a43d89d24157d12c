// Background: flushes, compacts and expires tables as their TierPolicy says, as long as a database is open.
//
// One thread looks at the tables several times a second and starts a job when one is due, at most as many at once as
// the setting background_jobs allows. It also slows commits down when the hot rows of such tables outgrow the setting
// hot_tier_budget, and removes deleted files whose time is over.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "flush/tier_watch.h"
#include "table/database_impl.h"
#include "table/table_impl.h"

namespace yarrow::flush {

class Background {
 public:
  // The database must outlive it.
  explicit Background(DatabaseImpl* database);
  // Cancels what is under way and waits for its end.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  struct Worker {
    std::thread thread;
    bool is_done = false;
  };

  void Coordinate();
  void LookAtTables();
  // The tables of programs, anew when the catalog has changed.
  void ListTables();
  // Both: whether they must be called again though nothing is written meanwhile.
  bool LookAt(const std::shared_ptr<const TableEntry>& entry, int64_t now);
  bool Relieve(int64_t now);
  void Launch(const std::shared_ptr<const TableEntry>& entry, DueJob job, int64_t now);
  void LaunchDropOfMovedRows();
  void Work(const std::shared_ptr<const TableEntry>& entry, DueJob job);
  // The rows that have moved; nothing: it has failed.
  std::optional<uint64_t> Flush(const std::shared_ptr<const TableEntry>& entry,
                                const std::shared_ptr<TableImpl>& table);
  // Whether it has succeeded.
  bool Expire(const std::shared_ptr<TableImpl>& table);
  arrow::Status CompactIfDue(const std::shared_ptr<TableImpl>& table);
  // For all that takes long: Cancelled when the database is being closed.
  std::function<arrow::Status(int64_t rows)> WhileOpen() const;
  // In a thread of its own. False when there is none.
  bool Run(std::function<void()> work);
  void JoinDone();
  bool HasFreeWorker() const;
  HotFigures Measure(const TableEntry& entry) const;
  // The same without rows and bytes.
  HotFigures MeasureChanges(const TableEntry& entry) const;
  uint64_t ManifestOf(const TableEntry& entry) const;
  // The table's, with those of the database where it says nothing.
  TierPolicy PolicyOf(const TableEntry& entry) const;
  TierWatch& WatchOf(const TableEntry& entry);
  void ReadLastFlushes();

  DatabaseImpl& database_;
  // By table, from system.jobs, as of when they were first asked for: reading them takes a snapshot, which a database
  // without tables has no use for.
  std::optional<std::map<std::string, int64_t>> last_flushes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> is_stopping_{false};
  std::vector<std::shared_ptr<const TableEntry>> tables_;
  uint64_t tables_version_ = 0;  // of the view of the catalog that has them
  uint64_t looked_at_ = 0;       // the store's sequence then
  bool looks_again_ = true;
  std::map<uint32_t, TierWatch> watches_;  // by table id
  std::list<Worker> workers_;
  int64_t next_removal_ = 0;
  std::thread coordinator_;
};

}  // namespace yarrow::flush
