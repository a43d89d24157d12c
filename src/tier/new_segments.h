// NewSegments: rows of one statement that lie in segments before their transaction commits.
//
// A statement of many rows writes segments itself, in the place of SST files that a flush would read again. They are an
// ExternalRun among the transaction's writes: kept, rolled back and committed with those, and seen through a View of
// them. Later statements of the transaction find them in the manifest that ColdTable::At makes for its View, and read,
// update and delete their rows as those of any segment. The commit writes their manifest entries and key filters.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/external_run.h"
#include "store/write_set.h"
#include "tier/cold_segment.h"

namespace yarrow {

// The file of a segment that no commit names yet: goes with this object, unless it is kept. Thread-safe.
class UncommittedSegment {
 public:
  UncommittedSegment(std::shared_ptr<ColdTier> tier, std::filesystem::path path)
      : tier_(std::move(tier)), path_(std::move(path)) {}
  UncommittedSegment(const UncommittedSegment&) = delete;
  UncommittedSegment& operator=(const UncommittedSegment&) = delete;
  // What cannot be removed is swept when the database is next opened.
  ~UncommittedSegment();
  void Keep() const { is_kept_ = true; }

 private:
  const std::shared_ptr<ColdTier> tier_;
  const std::filesystem::path path_;
  mutable std::atomic<bool> is_kept_{false};
};

// Of one part of a table (a shared table, or a user's rows). Immutable but for Keep; thread-safe.
class NewSegments : public ExternalRun {
 public:
  struct Made {
    std::unique_ptr<const UncommittedSegment> file;
    std::shared_ptr<const ColdSegment> segment;
    std::shared_ptr<const cold::KeyFilter> key_filter;
  };

  // `rows`: the partition of the table's hot rows; `row_schema`, `key_prefix`: of its part.
  NewSegments(Partition rows, uint32_t table_id, std::shared_ptr<const RowSchema> row_schema, std::string key_prefix,
              KeySummary keys, std::vector<Made> made);

  uint32_t table_id() const { return table_id_; }
  ColdSegments segments() const;
  uint64_t rows() const;
  uint64_t file_bytes() const;
  // Adds what makes them part of the table.
  void AddManifestEntries(WriteSet* writes) const;
  // They are committed, or nobody knows whether.
  void Keep() const;

  arrow::Result<std::optional<std::string>> FindKey(
      const std::function<bool(std::string_view key)>& is_it) const override;

 private:
  const uint32_t table_id_;
  const std::shared_ptr<const RowSchema> row_schema_;
  const std::string key_prefix_;
  const std::vector<Made> made_;
};

// Those of one table among some writes, oldest first.
std::vector<std::shared_ptr<const NewSegments>> NewSegmentsOf(uint32_t table_id, const WriteSet::View& writes);
// Their ids.
std::set<cold::SegmentId> NewSegmentIdsOf(uint32_t table_id, const WriteSet::View& writes);

}  // namespace yarrow
