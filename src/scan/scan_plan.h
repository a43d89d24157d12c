// ScanPlan: one scan, decided. What every provider (shared, user, system tables; a transaction's view of them) makes of
// the options, and what Table::Scan (into Arrow) runs; SQL runs the same plan into DuckDB's vectors.
#pragma once

#include <arrow/compute/expression.h>
#include <arrow/result.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/system_tables.h"
#include "key/key_range.h"
#include "predicate/row_predicate.h"
#include "row/row_schema.h"
#include "scan/projection_cache.h"
#include "store/write_set.h"
#include "yarrow/scan_options.h"
#include "yarrow/store.h"

namespace yarrow {

class ColdTable;
struct ColdTier;
class FoundRows;
class Jobs;

// Where the rows are read from: hot rows and, where there are any, segments; or they are made on the way; or they were
// found before (scan/found_rows.h).
enum class SourceKind { kHot, kComputed, kFound };

// What a provider knows of its table: where the rows are and how they lie.
struct ScanSource {
  std::shared_ptr<Store> store;
  SourceKind kind = SourceKind::kHot;
  SystemTableId computed{};        // which table's rows are made
  std::shared_ptr<ColdTier> tier;  // what they are made from
  std::shared_ptr<Jobs> jobs;      // likewise
  Partition partition;
  std::string key_prefix;  // of every row of the part: table, and user for user tables
  std::shared_ptr<const RowSchema> row_schema;
  std::shared_ptr<ProjectionCache> projections;
  WriteSet::View overlay;                  // a transaction's own writes
  std::shared_ptr<const FoundRows> found;  // of kFound: all that the plan may give, whatever else its ranges hold
  std::shared_ptr<ColdTable> cold;         // its segments; null for tables that never have any
  // Of the visible columns, as programs get them; null: as batches have them.
  std::shared_ptr<arrow::Schema> user_schema;

  // See ColdTable.
  bool MayHaveSegments() const;
};

// Immutable once made; shared by the threads of the scan. Says what to read, not of which moment: whoever runs it
// brings the snapshot, so that a plan that is kept does not keep old rows from being compacted away.
struct ScanPlan {
  static constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();

  ScanSource source;
  std::vector<KeyRange> ranges;  // ascending, disjoint; none: nothing can pass
  bool reverse = false;
  std::shared_ptr<const RowPredicate> predicate;  // on encoded rows; null: all rows pass
  Predicate tested;                               // what `predicate` was compiled from
  arrow::compute::Expression residual;            // on batches of decoded columns
  bool has_residual = false;
  std::vector<int> residual_inputs;  // which of the decoded columns the residual reads, each of the table's once
  std::shared_ptr<arrow::Schema> residual_schema;
  // Rows of segments come as batches, which the whole filter is for; it reads residual_inputs too.
  bool cold_batches = false;
  arrow::compute::Expression filter;          // not valid: all rows pass
  std::shared_ptr<CachedProjection> output;   // the columns of the result
  std::shared_ptr<CachedProjection> decoded;  // those, then those that only the residual reads; the same object if none
  std::vector<int> read_columns;              // all that is looked at, to decode or to test; ascending, with the key's
  int64_t limit = kNoLimit;
  int64_t batch_size = kBatchRows;
  int threads = 1;
  bool ordered = true;
  arrow::MemoryPool* pool = nullptr;
  bool fill_cache = true;  // RocksDB's block cache; false for jobs that read much once

  std::string index_text;  // for EXPLAIN: how the ranges were found (table/index_lookup.h); empty: not by an index

  std::string Explain() const;
  // The parts of Explain that say which rows are read: "2: [(5), (6)) [(9, 'a'), last)", "price > 3" or "none".
  std::string RangesText() const;
  std::string FilterText() const;

  // The output as programs get it (batch/array_form.h). A null schema: as it is.
  std::shared_ptr<arrow::Schema> user_schema;
  std::vector<ColumnType> user_types;
  // A batch of the output for the program that scans.
  arrow::Result<std::shared_ptr<arrow::RecordBatch>> ToUser(std::shared_ptr<arrow::RecordBatch> batch) const;
  const std::shared_ptr<arrow::Schema>& result_schema() const { return user_schema ? user_schema : output->schema(); }
};

// "2: [(5), (6)) [(9, 'a'), last)": ranges of keys that begin with `prefix` and have these parts behind it.
std::string DescribeRanges(const std::vector<KeyRange>& ranges, std::string_view prefix,
                           const std::vector<KeyPart>& parts);

// Errors name the table and the column or option.
arrow::Result<std::shared_ptr<const ScanPlan>> MakeScanPlan(ScanSource source, const ScanOptions& options);

// The same for whoever has positions and a predicate already. All of the predicate is applied: there is no residual.
struct ScanRequest {
  std::vector<int> columns;  // positions in the row schema's columns, hidden ones too; may repeat
  Predicate predicate;
  std::vector<int> tested_later;              // columns that further predicates may test (RowWalker::Narrow)
  std::optional<std::vector<KeyRange>> keys;  // normalized; whole keys outside of them are passed over
  bool reverse = false;
  std::optional<int64_t> limit;
  int threads = 1;  // that will read, for cutting the ranges into pieces
  bool fill_cache = true;
};
arrow::Result<std::shared_ptr<const ScanPlan>> MakeScanPlan(ScanSource source, const ScanRequest& request);

}  // namespace yarrow
