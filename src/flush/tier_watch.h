// TierWatch: when a table's TierPolicy makes a job due.
//
// What counts is what was written since the last flush. RocksDB estimates what a table's hot rows take, rows that were
// moved or overwritten included until it compacts; so what a flush has not moved is taken off, and what RocksDB
// compacts later was part of that. Rows that were written while it moved others count for the next one.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "yarrow/tier_policy.h"

namespace yarrow::flush {

// Hot rows of a table as RocksDB estimates them, and where its writes are.
struct HotFigures {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t last_write = 0;  // sequence of the last commit to the table, 0: none since the database was opened
  uint64_t manifest = 0;    // number of the table's manifest: grows when segments come or go
  uint64_t waiting = 0;     // rows that have moved and wait to be dropped, which `rows` and `bytes` leave out
};

// kCompaction: statements have brought segments, which may be due for a merge. A flush looks by itself.
enum class DueJob { kNone, kFlush, kExpiry, kCompaction };

// Of one table. Not thread-safe. Times are microseconds of any one clock.
class TierWatch {
 public:
  // `hot_since`: when the rows that are there now have begun to come.
  explicit TierWatch(int64_t hot_since) : hot_since_(hot_since) {}

  DueJob Look(const TierPolicy& policy, const HotFigures& figures, int64_t now);
  // Bytes that were written since the last flush, as of the last Look.
  uint64_t hot_bytes() const { return hot_bytes_; }
  bool is_at_work() const { return is_at_work_; }
  // Whether the next Look can say something else than the last one, which found nothing due: there were writes, moves
  // or failures, moved rows are dropped, or time alone makes a job due. Rows and bytes are not asked for.
  bool MustLook(const TierPolicy& policy, const HotFigures& figures) const;
  bool may_flush(int64_t now) const { return !is_at_work_ && now >= next_flush_; }

  void Begin(DueJob job, const HotFigures& figures, int64_t now);
  // `moved`: rows that a flush has moved; nothing: the job has failed, and the next one of its kind waits, longer each
  // time.
  void End(std::optional<uint64_t> moved, const TierPolicy& policy, const HotFigures& figures, int64_t now);

 private:
  // What is left by a flush that has moved so many rows and ended with these figures.
  HotFigures Left(uint64_t moved, const HotFigures& figures) const;
  void TakeOffWhatWasCompacted(const HotFigures& figures);
  bool IsFlushDue(const TierPolicy& policy, const HotFigures& figures, int64_t now);
  DueJob FindDue(const TierPolicy& policy, const HotFigures& figures, int64_t now);
  // When the next one of its kind may run, and how many failed in a row.
  std::pair<int64_t*, int*> OfJobAtWork();

  HotFigures left_;                   // by the last flush
  HotFigures seen_;                   // last
  std::optional<int64_t> hot_since_;  // nothing: no row was written since the last flush
  uint64_t hot_bytes_ = 0;
  std::optional<HotFigures> looked_at_;  // when nothing was due
  TierPolicy policy_;                    // then
  uint64_t merged_at_ = 0;               // the manifest that the last look for merges has left
  int64_t next_expiry_ = 0;
  int64_t next_compaction_ = 0;
  int64_t next_flush_ = 0;
  int failed_flushes_ = 0;
  int failed_expiries_ = 0;
  int failed_compactions_ = 0;
  bool is_at_work_ = false;
  DueJob at_work_ = DueJob::kNone;
  int64_t began_at_ = 0;
  HotFigures then_;  // when it began
};

}  // namespace yarrow::flush
