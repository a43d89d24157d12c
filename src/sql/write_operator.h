// What the operators that end write statements have in common: the rows of one statement on their way into the
// transaction, and what the statement gives back.
#pragma once

#include <duckdb/common/types/column/column_data_collection.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "sql/row_checks.h"
#include "sql/sql_catalog.h"
#include "sql/sql_transaction.h"
#include "write/row_changes.h"
#include "write/row_intake.h"

namespace yarrow::sql {

using duckdb::ClientContext;
using duckdb::DataChunk;

struct WriteState : public duckdb::GlobalSinkState {
  WriteState(SqlTransaction& in, std::shared_ptr<SqlTable> written)
      : transaction(in), table(std::move(written)), changes(in.impl().Changes()) {}

  const TableImpl& impl() const { return *table->table(); }

  void ReturnRowsOf(ClientContext& context, const duckdb::vector<duckdb::LogicalType>& types) {
    returned = duckdb::make_uniq<duckdb::ColumnDataCollection>(context, types);
    returned_chunk.Initialize(context, types);
  }
  // For RETURNING, a row with all columns; FlushReturned follows the last. MERGE says what it did in one column more.
  void Return(const std::vector<Value>& row, const char* merge_action = nullptr);
  void FlushReturned();

  // A join may bring a row several times: the first time counts. For whoever has such a join; else nothing is noted.
  void ChangeRowsOnce() { changed_ = std::make_unique<std::unordered_set<std::string>>(); }
  bool IsChanged(const std::string& key) const { return changed_ != nullptr && changed_->contains(key); }
  void NoteChange(const std::string& key) {
    ++rows;
    if (changed_ != nullptr) changed_->insert(key);
  }

  SqlTransaction& transaction;
  const std::shared_ptr<SqlTable> table;
  RowChanges changes;
  uint64_t rows = 0;
  std::mutex mutex;
  std::unique_ptr<RowIntake> inserted;                        // under mutex, the rows of threads that are done
  duckdb::unique_ptr<duckdb::ColumnDataCollection> returned;  // with RETURNING
  DataChunk returned_chunk;                                   // its next rows

 private:
  std::unique_ptr<std::unordered_set<std::string>> changed_;  // keys
};

// What the operators have in common: one sink, then the number of rows or, with RETURNING, the rows.
class WriteOperator : public duckdb::PhysicalOperator {
 public:
  WriteOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types, duckdb::idx_t cardinality,
                duckdb::Catalog& catalog, std::shared_ptr<SqlTable> table, bool returns_rows, RowChecks checks = {})
      : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, std::move(result_types), cardinality),
        catalog_(catalog),
        table_(std::move(table)),
        returns_rows_(returns_rows),
        checks_(std::move(checks)) {}

  bool IsSink() const override { return true; }
  bool SinkOrderDependent() const override { return !ParallelSink(); }
  bool IsSource() const override { return true; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    return MakeState(context, table_);
  }

  duckdb::unique_ptr<duckdb::GlobalSourceState> GetGlobalSourceState(ClientContext&) const override;

 protected:
  template <class State = WriteState, class... Arguments>
  duckdb::unique_ptr<State> MakeState(ClientContext& context, std::shared_ptr<SqlTable> table,
                                      Arguments&&... arguments) const {
    SqlTransaction& transaction = BeginWriting(context, *table);
    auto state = duckdb::make_uniq<State>(transaction, std::move(table), std::forward<Arguments>(arguments)...);
    if (returns_rows_) state->ReturnRowsOf(context, types);
    return state;
  }

  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext&, DataChunk& chunk,
                                           duckdb::OperatorSourceInput& input) const override;

  duckdb::Catalog& catalog_;
  const std::shared_ptr<SqlTable> table_;  // null: made by the statement
  const bool returns_rows_;
  const RowChecks checks_;  // of what is written

 private:
  SqlTransaction& BeginWriting(ClientContext& context, const SqlTable& table) const;
};

// Sorted in memory up to this size; rows of all threads of a statement together.
inline constexpr uint64_t kSortBufferBytes = 128 << 20;

// Gives the chunk's rows to `take`, as batches of the table's columns; `first`: the row of the chunk that a batch
// begins with. The types are those that DuckDB gives to Arrow, near enough for the row encoder to cast without loss.
using TakeBatch = std::function<arrow::Status(const arrow::RecordBatch& batch, duckdb::idx_t first)>;
void ForEachBatch(ClientContext& context, const TableImpl& table, DataChunk& chunk, const TakeBatch& take);
// Adds the chunk's rows.
void AddChunk(ClientContext& context, const TableImpl& table, DataChunk& chunk, RowIntake* rows);

std::shared_ptr<SqlTable> TableOf(duckdb::TableCatalogEntry& entry);

// What an UPDATE assigns: each column a column of its input, or the column's default.
class Assignment {
 public:
  // `defaults`: one for each stored column of the table.
  Assignment(const duckdb::TableCatalogEntry& table, const duckdb::vector<duckdb::PhysicalIndex>& columns,
             const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& values,
             const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& defaults);

  // The rows as they become, with all columns of the table, which the binder has added; `chunk` must outlive it.
  void MakeRows(ClientContext& context, DataChunk& chunk, DataChunk* rows) const;
  // To the chunk's rows, whose keys are in the column `row_id` and which become `rows`. One that IsChanged is passed
  // over.
  void Apply(WriteState& state, DataChunk& chunk, DataChunk& rows, duckdb::idx_t row_id,
             const char* merge_action = nullptr) const;

 private:
  struct Source {
    duckdb::idx_t column = 0;                                 // of the input
    std::shared_ptr<const duckdb::Expression> default_value;  // instead of it
  };
  const duckdb::vector<duckdb::LogicalType> types_;  // of the stored columns
  const duckdb::vector<duckdb::PhysicalIndex> columns_;
  std::vector<Source> sources_;
};

// The whole key of a row of the table, of which this is the part without the prefix.
std::string KeyOf(const TableImpl& table, const duckdb::string_t& own_key);

// Likewise for DELETE.
void DeleteRows(WriteState& state, DataChunk& chunk, duckdb::idx_t row_id, const char* merge_action = nullptr);

}  // namespace yarrow::sql
