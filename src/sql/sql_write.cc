// INSERT, CREATE TABLE AS, DELETE and UPDATE: the operators that end such plans; merge_into.cc has MERGE INTO.
//
// Each operator adds to the writes of the transaction; a statement that fails leaves them behind, and DuckDB rolls the
// transaction back. Rows of INSERT may come in from several threads, those of the others from one.
#include <duckdb/parallel/task_scheduler.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>

#include <memory>
#include <mutex>
#include <utility>

#include "sql/create_table.h"
#include "sql/sql_error.h"
#include "sql/write_operator.h"

namespace yarrow::sql {
namespace {

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
};

class CreateTableAsOperator : public InsertOperator {
 public:
  CreateTableAsOperator(duckdb::PhysicalPlan& plan, duckdb::LogicalCreateTable& op)
      : InsertOperator(plan, op.types, op.estimated_cardinality, op.schema.catalog, nullptr, false),
        schema_(op.schema),
        info_(std::move(op.info)) {
    StoreHugeIntAsDecimal(&info_->Base().columns);
  }
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

// UPDATE and DELETE: rows are changed as they come, each once.
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
  const duckdb::idx_t row_id_;
};

class DeleteOperator : public ChangeOperator {
 public:
  using ChangeOperator::ChangeOperator;
  duckdb::string GetName() const override { return "YARROW_DELETE"; }

 protected:
  void Write(WriteState& state, DataChunk& chunk) const override { DeleteRows(state, chunk, row_id_); }
};

class UpdateOperator : public ChangeOperator {
 public:
  UpdateOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::idx_t cardinality, duckdb::TableCatalogEntry& table, duckdb::idx_t row_id, bool returns_rows,
                 Assignment assignment, bool is_joined)
      : ChangeOperator(plan, std::move(result_types), cardinality, table, row_id, returns_rows),
        assignment_(std::move(assignment)),
        is_joined_(is_joined) {}
  duckdb::string GetName() const override { return "YARROW_UPDATE"; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    auto state = MakeState(context, table_);
    if (is_joined_) state->ChangeRowsOnce();
    return state;
  }

 protected:
  void Write(WriteState& state, DataChunk& chunk) const override { assignment_.Apply(state, chunk, row_id_); }

 private:
  const Assignment assignment_;
  const bool is_joined_;  // rows may come several times
};

// Whether the rows of UPDATE ... FROM may be there several times.
bool IsJoined(const duckdb::LogicalOperator& op) {
  switch (op.type) {
    case duckdb::LogicalOperatorType::LOGICAL_GET:
    case duckdb::LogicalOperatorType::LOGICAL_EXTENSION_OPERATOR:
    case duckdb::LogicalOperatorType::LOGICAL_EMPTY_RESULT:
      return false;
    case duckdb::LogicalOperatorType::LOGICAL_PROJECTION:
    case duckdb::LogicalOperatorType::LOGICAL_FILTER:
    case duckdb::LogicalOperatorType::LOGICAL_ORDER_BY:
      return IsJoined(*op.children[0]);
    default:
      return true;
  }
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
                                              Assignment(op.columns, op.expressions), IsJoined(*op.children[0]));
  update.children.push_back(plan);
  return update;
}

}  // namespace yarrow::sql
