// INSERT, CREATE TABLE AS, DELETE, UPDATE and MERGE INTO: the operators that end such plans. INSERT ... ON CONFLICT
// comes here as the MERGE INTO that DuckDB's binder makes of it.
//
// Each operator adds to the writes of the transaction; a statement that fails leaves them behind, and DuckDB rolls the
// transaction back. Rows of INSERT may come in from several threads, those of the others from one.
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <duckdb/common/types/column/column_data_collection.hpp>
#include <duckdb/execution/operator/persistent/physical_merge_into.hpp>
#include <duckdb/parallel/task_scheduler.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "sql/arrow_export.h"
#include "sql/sql_catalog.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/sql_type.h"
#include "table/row_intake.h"

namespace yarrow::sql {
namespace {

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
  // For RETURNING, a row with all columns; FlushReturned follows the last.
  void Return(const std::vector<Value>& row) {
    const duckdb::idx_t at = returned_chunk.size();
    for (duckdb::idx_t c = 0; c < returned_chunk.ColumnCount(); ++c) {
      returned_chunk.SetValue(c, at, ToDuckDb(row[c], impl().definition().columns[c].type));
    }
    returned_chunk.SetCardinality(at + 1);
    if (at + 1 == STANDARD_VECTOR_SIZE) FlushReturned();
  }
  void FlushReturned() {
    if (!returned || returned_chunk.size() == 0) return;
    returned->Append(returned_chunk);
    returned_chunk.Reset();
  }

  SqlTransaction& transaction;
  const std::shared_ptr<SqlTable> table;
  RowChanges changes;
  uint64_t rows = 0;
  std::vector<RowChanges::Moved> moved;
  std::mutex mutex;
  std::unique_ptr<RowIntake> inserted;                        // under mutex, the rows of threads that are done
  duckdb::unique_ptr<duckdb::ColumnDataCollection> returned;  // with RETURNING
  DataChunk returned_chunk;                                   // its next rows
};

// A table that the transaction sees, and another one has dropped, is a conflict like any other change of the table.
void CheckWritable(const TableImpl& table) {
  const arrow::Status status = table.CheckWritable();
  Check(status.IsKeyError() ? ConflictError("table " + table.definition().QualifiedName() +
                                            " was dropped by another transaction after this one began")
                            : status);
}

struct ReturnState : public duckdb::GlobalSourceState {
  duckdb::ColumnDataScanState scan;
};

// What the operators have in common: one sink, then the number of rows or, with RETURNING, the rows.
class WriteOperator : public duckdb::PhysicalOperator {
 public:
  WriteOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types, duckdb::idx_t cardinality,
                duckdb::Catalog& catalog, std::shared_ptr<SqlTable> table, bool returns_rows)
      : PhysicalOperator(plan, duckdb::PhysicalOperatorType::EXTENSION, std::move(result_types), cardinality),
        catalog_(catalog),
        table_(std::move(table)),
        returns_rows_(returns_rows) {}

  bool IsSink() const override { return true; }
  bool SinkOrderDependent() const override { return !ParallelSink(); }
  bool IsSource() const override { return true; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    return MakeState(context, table_);
  }

  duckdb::unique_ptr<duckdb::GlobalSourceState> GetGlobalSourceState(ClientContext&) const override {
    auto state = duckdb::make_uniq<ReturnState>();
    const auto& written = sink_state->Cast<WriteState>();
    if (written.returned) written.returned->InitializeScan(state->scan);
    return state;
  }

 protected:
  duckdb::unique_ptr<WriteState> MakeState(ClientContext& context, std::shared_ptr<SqlTable> table) const {
    SqlTransaction& transaction = SqlTransaction::Of(context, catalog_);
    CheckWritable(*table->table());
    const std::lock_guard writing(transaction.write_mutex());
    transaction.StatementView();  // seals what earlier statements wrote, before this one adds its own
    transaction.impl().Touch(table->table());
    auto state = duckdb::make_uniq<WriteState>(transaction, std::move(table));
    if (returns_rows_) state->ReturnRowsOf(context, types);
    return state;
  }

  duckdb::SourceResultType GetDataInternal(duckdb::ExecutionContext&, DataChunk& chunk,
                                           duckdb::OperatorSourceInput& input) const override {
    const auto& state = sink_state->Cast<WriteState>();
    if (!state.returned) {
      chunk.SetCardinality(1);
      chunk.SetValue(0, 0, duckdb::Value::BIGINT(static_cast<int64_t>(state.rows)));
      return duckdb::SourceResultType::FINISHED;
    }
    state.returned->Scan(input.global_state.Cast<ReturnState>().scan, chunk);
    return chunk.size() == 0 ? duckdb::SourceResultType::FINISHED : duckdb::SourceResultType::HAVE_MORE_OUTPUT;
  }

  duckdb::Catalog& catalog_;
  const std::shared_ptr<SqlTable> table_;  // null: made by the statement
  const bool returns_rows_;
};

// Adds the chunk's rows, as batches of the table's columns. The types are those that DuckDB gives to Arrow, near enough
// for the row encoder to cast without loss.
void AddChunk(ClientContext& context, const TableImpl& table, DataChunk& chunk, RowIntake* rows) {
  duckdb::ClientProperties layout = ArrowLayout(&context);
  duckdb::vector<duckdb::string> names;
  for (size_t i = 0; i < table.definition().visible_columns(); ++i) names.push_back(table.definition().columns[i].name);
  ArrowSchema exported;
  duckdb::ArrowConverter::ToArrowSchema(&exported, chunk.GetTypes(), names, layout);
  const auto schema = Check(arrow::ImportSchema(&exported));
  for (duckdb::idx_t first = 0; first < chunk.size();) {
    const duckdb::idx_t count = RowsOfArray(chunk, names, first);
    ArrowArray array = ToArrowArray(chunk, first, count, layout);
    Check(rows->Add(*Check(arrow::ImportRecordBatch(&array, schema))));
    first += count;
  }
}

// The rows that one thread brought.
struct InsertLocal : public duckdb::LocalSinkState {
  std::unique_ptr<RowIntake> rows;
};

class InsertOperator : public WriteOperator {
 public:
  using WriteOperator::WriteOperator;
  duckdb::string GetName() const override { return "YARROW_INSERT"; }

  // Rows are sorted by their keys anyway, unless numbers given in their order are the keys.
  bool ParallelSink() const override {
    return !returns_rows_ && table_ != nullptr && !table_->table()->definition().has_hidden_row_id();
  }

  duckdb::unique_ptr<duckdb::LocalSinkState> GetLocalSinkState(duckdb::ExecutionContext&) const override {
    return duckdb::make_uniq<InsertLocal>();
  }

  duckdb::SinkResultType Sink(duckdb::ExecutionContext& context, DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    auto& local = input.local_state.Cast<InsertLocal>();
    if (!local.rows) {
      const auto threads = ParallelSink() ? duckdb::TaskScheduler::GetScheduler(context.client).NumberOfThreads() : 1;
      local.rows = std::make_unique<RowIntake>(state.impl(), kSortBufferBytes / static_cast<uint64_t>(threads));
    }
    chunk.Flatten();
    AddChunk(context.client, state.impl(), chunk, local.rows.get());
    if (state.returned) state.returned->Append(chunk);
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }

  duckdb::SinkCombineResultType Combine(duckdb::ExecutionContext&,
                                        duckdb::OperatorSinkCombineInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    auto& local = input.local_state.Cast<InsertLocal>();
    if (!local.rows) return duckdb::SinkCombineResultType::FINISHED;
    const std::lock_guard guard(state.mutex);
    if (state.inserted) {
      Check(state.inserted->Absorb(local.rows.get()));
    } else {
      state.inserted = std::move(local.rows);
    }
    return duckdb::SinkCombineResultType::FINISHED;
  }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&, ClientContext&,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    if (!state.inserted) return duckdb::SinkFinalizeType::READY;
    const std::lock_guard writing(state.transaction.write_mutex());
    state.rows = state.inserted->rows();
    Check(state.changes.Insert(state.impl(), state.inserted.get()));
    state.inserted.reset();
    Check(state.transaction.impl().CheckConflicts());
    return duckdb::SinkFinalizeType::READY;
  }

 private:
  static constexpr uint64_t kSortBufferBytes = 128 << 20;  // of all threads
};

class CreateTableAsOperator : public InsertOperator {
 public:
  CreateTableAsOperator(duckdb::PhysicalPlan& plan, duckdb::LogicalCreateTable& op)
      : InsertOperator(plan, op.types, op.estimated_cardinality, op.schema.catalog, nullptr, false),
        schema_(op.schema),
        info_(std::move(op.info)) {}
  duckdb::string GetName() const override { return "YARROW_CREATE_TABLE_AS"; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    auto made = schema_.CreateTable(schema_.GetCatalogTransaction(context), *info_);
    // IF NOT EXISTS, and it exists since the statement was planned.
    if (!made) throw duckdb::CatalogException("Table with name \"" + info_->Base().table + "\" already exists!");
    return MakeState(context, made->Cast<SqlTable>().shared_from_this());
  }

 private:
  duckdb::SchemaCatalogEntry& schema_;
  const duckdb::unique_ptr<duckdb::BoundCreateTableInfo> info_;
};

std::shared_ptr<SqlTable> TableOf(duckdb::TableCatalogEntry& entry) {
  return entry.Cast<SqlTable>().shared_from_this();
}

// The table's whole encoded key that a rowid stands for.
std::string KeyOf(const TableImpl& table, const duckdb::Value& row_id) {
  return table.key_prefix() + duckdb::StringValue::Get(row_id);
}

// UPDATE and DELETE: rows are changed as they come.
class ChangeOperator : public WriteOperator {
 public:
  // `row_id`: the column of the input that holds the rows' keys.
  ChangeOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::idx_t cardinality, duckdb::TableCatalogEntry& table, duckdb::idx_t row_id, bool returns_rows)
      : WriteOperator(plan, std::move(result_types), cardinality, table.catalog, TableOf(table), returns_rows),
        row_id_(row_id) {}

  duckdb::SinkResultType Sink(duckdb::ExecutionContext&, DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    const std::lock_guard writing(state.transaction.write_mutex());
    Write(state, chunk);
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&, ClientContext&,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    const std::lock_guard writing(state.transaction.write_mutex());
    for (const RowChanges::Moved& moved : state.moved) Check(state.changes.InsertMoved(state.impl(), moved));
    state.FlushReturned();
    Check(state.transaction.impl().CheckConflicts());
    return duckdb::SinkFinalizeType::READY;
  }

 protected:
  virtual void Write(WriteState& state, DataChunk& chunk) const = 0;
  std::string Key(const WriteState& state, const DataChunk& chunk, duckdb::idx_t row) const {
    return KeyOf(state.impl(), chunk.GetValue(row_id_, row));
  }

 private:
  const duckdb::idx_t row_id_;
};

class DeleteOperator : public ChangeOperator {
 public:
  using ChangeOperator::ChangeOperator;
  duckdb::string GetName() const override { return "YARROW_DELETE"; }

 protected:
  void Write(WriteState& state, DataChunk& chunk) const override {
    std::vector<Value> row;
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      const std::string key = Key(state, chunk, i);
      // A join may bring a row twice.
      if (!Check(state.changes.DeleteEncoded(state.impl(), key, returns_rows_ ? &row : nullptr))) continue;
      ++state.rows;
      if (returns_rows_) state.Return(row);
    }
  }
};

class UpdateOperator : public ChangeOperator {
 public:
  UpdateOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::idx_t cardinality, duckdb::TableCatalogEntry& table, duckdb::idx_t row_id, bool returns_rows,
                 const duckdb::vector<duckdb::PhysicalIndex>& columns,
                 const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& values)
      : ChangeOperator(plan, std::move(result_types), cardinality, table, row_id, returns_rows), columns_(columns) {
    for (const auto& value : values) {
      // Either a column of the input or the column's default.
      const bool is_default = value->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
      sources_.push_back(is_default ? kDefault : value->Cast<duckdb::BoundReferenceExpression>().index);
    }
  }
  duckdb::string GetName() const override { return "YARROW_UPDATE"; }

 protected:
  void Write(WriteState& state, DataChunk& chunk) const override {
    const TableDefinition& definition = state.impl().definition();
    std::vector<std::pair<int, Value>> assignments(columns_.size());
    std::vector<Value> row;
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
      for (size_t c = 0; c < columns_.size(); ++c) {
        const ColumnDefinition& column = definition.columns[columns_[c].index];
        assignments[c] = {static_cast<int>(columns_[c].index),
                          sources_[c] == kDefault ? column.default_value
                                                  : Check(FromDuckDb(chunk.GetValue(sources_[c], i), column.type))};
      }
      const std::string key = Key(state, chunk, i);
      std::vector<Value>* const updated = returns_rows_ ? &row : nullptr;
      if (!Check(state.changes.UpdateEncoded(state.impl(), key, assignments, &state.moved, updated))) continue;
      ++state.rows;
      if (returns_rows_) state.Return(row);
    }
  }

 private:
  static constexpr duckdb::idx_t kDefault = duckdb::DConstants::INVALID_INDEX;
  const duckdb::vector<duckdb::PhysicalIndex> columns_;
  std::vector<duckdb::idx_t> sources_;
};

// The values of a MERGE's INSERT, one for each column of the table.
duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> InsertedValues(const duckdb::LogicalMergeInto& op,
                                                                      duckdb::BoundMergeIntoAction& action) {
  if (action.column_index_map.empty()) return std::move(action.expressions);
  duckdb::vector<duckdb::unique_ptr<duckdb::Expression>> values;
  for (const auto& column : op.table.GetColumns().Physical()) {
    const duckdb::idx_t given = action.column_index_map[column.Physical()];
    values.push_back(given == duckdb::DConstants::INVALID_INDEX ? op.bound_defaults[column.StorageOid()]->Copy()
                                                                : std::move(action.expressions[given]));
  }
  return values;
}

// One WHEN ... THEN of a MERGE: which rows, and the operator that takes them.
duckdb::unique_ptr<duckdb::MergeIntoOperator> PlanMergeAction(duckdb::PhysicalPlanGenerator& planner,
                                                              duckdb::LogicalMergeInto& op,
                                                              duckdb::BoundMergeIntoAction& action) {
  auto planned = duckdb::make_uniq<duckdb::MergeIntoOperator>();
  planned->action_type = action.action_type;
  planned->condition = std::move(action.condition);
  duckdb::vector<duckdb::LogicalType> types = op.types;
  if (op.return_chunk) types.pop_back();  // merge_action, which DuckDB's operator adds
  switch (action.action_type) {
    case duckdb::MergeActionType::MERGE_UPDATE:
      planned->op = planner.Make<UpdateOperator>(std::move(types), op.estimated_cardinality, op.table, op.row_id_start,
                                                 op.return_chunk, action.columns, action.expressions);
      break;
    case duckdb::MergeActionType::MERGE_DELETE:
      planned->op = planner.Make<DeleteOperator>(std::move(types), op.estimated_cardinality, op.table, op.row_id_start,
                                                 op.return_chunk);
      break;
    case duckdb::MergeActionType::MERGE_INSERT:
      planned->op = planner.Make<InsertOperator>(std::move(types), op.estimated_cardinality, op.table.catalog,
                                                 TableOf(op.table), op.return_chunk);
      planned->expressions = InsertedValues(op, action);
      break;
    case duckdb::MergeActionType::MERGE_ERROR:
    case duckdb::MergeActionType::MERGE_DO_NOTHING:
      planned->expressions = std::move(action.expressions);
      break;
  }
  return planned;
}

}  // namespace

duckdb::PhysicalOperator& SqlCatalog::PlanCreateTableAs(ClientContext&, duckdb::PhysicalPlanGenerator& planner,
                                                        duckdb::LogicalCreateTable& op,
                                                        duckdb::PhysicalOperator& plan) {
  auto& create = planner.Make<CreateTableAsOperator>(op);
  create.children.push_back(plan);
  return create;
}

duckdb::PhysicalOperator& SqlCatalog::PlanInsert(ClientContext&, duckdb::PhysicalPlanGenerator& planner,
                                                 duckdb::LogicalInsert& op,
                                                 duckdb::optional_ptr<duckdb::PhysicalOperator> plan) {
  if (!op.column_index_map.empty()) plan = planner.ResolveDefaultsProjection(op, *plan);
  auto& insert =
      planner.Make<InsertOperator>(op.types, op.estimated_cardinality, *this, TableOf(op.table), op.return_chunk);
  insert.children.push_back(*plan);
  return insert;
}

duckdb::PhysicalOperator& SqlCatalog::PlanDelete(ClientContext&, duckdb::PhysicalPlanGenerator& planner,
                                                 duckdb::LogicalDelete& op, duckdb::PhysicalOperator& plan) {
  const auto& row_id = op.expressions[0]->Cast<duckdb::BoundReferenceExpression>();
  auto& erase =
      planner.Make<DeleteOperator>(op.types, op.estimated_cardinality, op.table, row_id.index, op.return_chunk);
  erase.children.push_back(plan);
  return erase;
}

duckdb::PhysicalOperator& SqlCatalog::PlanUpdate(ClientContext&, duckdb::PhysicalPlanGenerator& planner,
                                                 duckdb::LogicalUpdate& op, duckdb::PhysicalOperator& plan) {
  const duckdb::idx_t row_id = plan.types.size() - 1;  // the binder adds it last
  auto& update = planner.Make<UpdateOperator>(op.types, op.estimated_cardinality, op.table, row_id, op.return_chunk,
                                              op.columns, op.expressions);
  update.children.push_back(plan);
  return update;
}

duckdb::PhysicalOperator& SqlCatalog::PlanMergeInto(ClientContext&, duckdb::PhysicalPlanGenerator& planner,
                                                    duckdb::LogicalMergeInto& op, duckdb::PhysicalOperator& plan) {
  duckdb::map<duckdb::MergeActionCondition, duckdb::vector<duckdb::unique_ptr<duckdb::MergeIntoOperator>>> actions;
  for (auto& [condition, bound] : op.actions) {
    for (auto& action : bound) actions[condition].push_back(PlanMergeAction(planner, op, *action));
  }
  // In one thread: the operators of the actions add to the same writes.
  auto& merge = planner.Make<duckdb::PhysicalMergeInto>(op.types, std::move(actions), op.row_id_start, op.source_marker,
                                                        /*parallel=*/false, op.return_chunk);
  merge.children.push_back(plan);
  return merge;
}

}  // namespace yarrow::sql
