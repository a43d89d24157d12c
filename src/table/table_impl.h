// Table behind its facade: where the rows of one part of a table lie (a shared table is one part, a user table has one
// a user), and the pieces that reads and writes are made of.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/row_encoder.h"
#include "job/job.h"
#include "row/index_keys.h"
#include "scan/computed_cursor.h"
#include "scan/scan_plan.h"
#include "store/commit_listener.h"
#include "store/write_set.h"
#include "table/database_impl.h"
#include "tier/cold_table.h"
#include "yarrow/row.h"

namespace yarrow {

// A row encoder with the strings it fills.
struct EncoderSlot {
  EncoderSlot(std::shared_ptr<const RowSchema> row_schema, std::string key_prefix)
      : encoder(std::move(row_schema), std::move(key_prefix)) {}
  RowEncoder encoder;
  std::string key;
  std::string row;
  std::vector<Value> values;
};

// An index of a table, with how its entries are made.
struct TableIndex {
  const IndexDefinition* definition;
  IndexKeys keys;
};

// Immutable but for the free encoders; shared by Table objects, scans and transactions. Thread-safe.
class TableImpl {
 public:
  static arrow::Result<std::shared_ptr<TableImpl>> Make(std::shared_ptr<DatabaseImpl> database,
                                                        std::shared_ptr<const TableEntry> entry,
                                                        const std::string& user);

  // An error when a session without acting user meets a user table, or the table was dropped before `snapshot` (null:
  // now); IsConflict() when it was altered before.
  arrow::Status CheckReadable(const Snapshot& snapshot) const;
  // The same of now, and an error for system tables.
  arrow::Status CheckWritable() const;

  DatabaseImpl& database() const { return *database_; }
  Store& store() const { return *database_->store(); }
  const TableEntry& entry() const { return *entry_; }
  // Whether the table was altered or dropped since this definition of it.
  bool IsOutdated() const { return entry_->guard->version() > entry_->guard_version; }
  // An error of reading, which may be that rows of a later definition have come: then the one that says so.
  arrow::Status OutdatedOr(const arrow::Status& error) const {
    return !error.ok() && IsOutdated() ? Outdated() : error;
  }
  const TableDefinition& definition() const { return *entry_->definition; }
  const std::shared_ptr<const RowSchema>& row_schema() const { return row_schema_; }
  const std::shared_ptr<arrow::Schema>& visible_schema() const { return visible_schema_; }
  std::shared_ptr<arrow::Schema> user_schema_;  // the same where it is not that of batches; else null
  const std::string& key_prefix() const { return key_prefix_; }
  // Whoever changes a row changes its entries: write/index_changes.h.
  const std::vector<TableIndex>& indexes() const { return indexes_; }
  // Whether FOREIGN KEYs of this table, or to it, have a say in what is written.
  bool has_references() const;
  // For messages: "unique index i", "UNIQUE (a, b)".
  std::string Describe(const TableIndex& index) const;
  const std::string& user() const { return user_; }
  GuardUse guard() const { return {.guard = entry_->guard.get(), .version = entry_->guard_version}; }
  // The guard of where rows lie, for a write that was planned with this manifest.
  GuardUse places(const Manifest& manifest) const {
    return {.guard = &cold_->places(), .version = manifest.places_version};
  }
  // Null for system tables.
  const std::shared_ptr<ColdTable>& cold() const { return cold_; }
  // Whether a statement or load of so many rows writes segments itself.
  bool WritesSegments(uint64_t rows) const;
  // Of the part's segments in a manifest.
  SegmentIndex::Totals ColdTotals(const Manifest& manifest) const {
    return manifest.index.TotalsIn(key_prefix_, PrefixSuccessor(key_prefix_));
  }

  arrow::Result<std::shared_ptr<TableScan>> Scan(const ScanOptions& options, WriteSet::View overlay) const;
  // What a plan over the rows of this part starts from.
  ScanSource MakeSource(WriteSet::View overlay) const;

  // For system tables whose rows are made when they are asked for: all of them, or the one with that encoded key.
  arrow::Result<ComputedCursor> MakeComputed(const Snapshot& snapshot) const;
  arrow::Result<std::optional<Row>> GetComputed(std::string_view key, const Snapshot& snapshot) const;

  // A job on this table; see Job::Start.
  arrow::Result<std::unique_ptr<Job>> StartJob(std::string kind, uint64_t expected_rows = 0,
                                               JobState state = JobState::kRunning) const;

  // An encoder of this table for one thread at a time; goes back when the lease ends.
  class EncoderLease {
   public:
    EncoderLease(const TableImpl* table, std::unique_ptr<EncoderSlot> slot) : table_(table), slot_(std::move(slot)) {}
    EncoderLease(EncoderLease&&) = default;
    ~EncoderLease();
    EncoderSlot* operator->() const { return slot_.get(); }

   private:
    const TableImpl* table_;
    std::unique_ptr<EncoderSlot> slot_;
  };
  EncoderLease LeaseEncoder() const;

  // Invalid where only SQL knows whether a row may be written.
  arrow::Status CheckHasNoChecks() const;
  // Encodes visible values from a program into the slot's key and row, with a new row id when the table has no key of
  // its own.
  arrow::Status EncodeRow(EncoderSlot* slot, ValueList values) const;
  // Encodes a key into the slot's key.
  arrow::Status EncodeKey(EncoderSlot* slot, ValueList key_values) const;
  // TypeError for a column from a program that would be taken for one of batches (batch/array_form.h).
  arrow::Status CheckUserBatch(const arrow::RecordBatch& batch) const;
  // The batch, with row ids when the table has no key of its own.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> WithRowIds(const arrow::RecordBatch& batch) const;

 private:
  TableImpl() = default;
  arrow::Status Outdated() const;
  arrow::Result<std::shared_ptr<TableScan>> RunPlan(ScanSource source, const ScanOptions& options) const;
  arrow::Status MakeIndexes(const TableDefinition& definition);

  std::shared_ptr<DatabaseImpl> database_;
  std::shared_ptr<const TableEntry> entry_;
  std::shared_ptr<const RowSchema> row_schema_;
  std::shared_ptr<arrow::Schema> visible_schema_;
  std::shared_ptr<ProjectionCache> projections_;
  std::shared_ptr<ColdTable> cold_;
  std::string key_prefix_;
  std::vector<TableIndex> indexes_;
  std::string user_;
  bool needs_user_ = false;

  mutable std::mutex encoders_mutex_;
  mutable size_t encoders_ = 0;                                      // free and leased
  mutable std::vector<std::unique_ptr<EncoderSlot>> free_encoders_;  // there is room for all
};

}  // namespace yarrow
