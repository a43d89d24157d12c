// TierPolicy: when rows of a table move to segments by themselves, and when they expire.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace yarrow {

// Rows that a segment has at most, where no option says otherwise.
inline constexpr int64_t kRowsPerSegment = 1'000'000;

// What segments are laid out for: large row groups that scan fast, or small ones of which single rows are read fast.
enum class OptimizeFor { kScan, kLookup };

// Part of a table's definition, looked at in the background as long as the database is open. Zero: off.
//
// Unset, flush_bytes is that of the database (the setting flush_bytes, 128 MB unless changed): so by default a table
// whose rows are many keeps the last of them in RocksDB and the others in segments.
//
// The thresholds are of hot rows that were written since the last flush, as RocksDB estimates them; whatever is reached
// first makes a flush, and what it leaves due a compaction.
struct TierPolicy {
  uint64_t flush_rows = 0;
  std::optional<uint64_t> flush_bytes = {};  // of keys and rows
  int64_t flush_age = 0;                     // seconds since the first of them was written
  // Of each flush that does not say otherwise, as in FlushOptions.
  int64_t min_user_rows = 10'000;
  OptimizeFor optimize_for = OptimizeFor::kScan;
  // Rows whose value in this column (DATE or a timestamp; one without time zone is taken as UTC) is more than `ttl`
  // seconds in the past are deleted, some time after that; readers see them until then. NULL never expires.
  std::string ttl_column = {};
  int64_t ttl = 0;

  bool flushes() const { return flush_rows > 0 || flush_bytes.value_or(0) > 0 || flush_age > 0; }
  bool expires() const { return !ttl_column.empty(); }
  friend bool operator==(const TierPolicy&, const TierPolicy&) = default;
};

}  // namespace yarrow
