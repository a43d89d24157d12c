// INSERT, CREATE TABLE AS, DELETE and UPDATE: the operators that end such plans; merge_into.cc has MERGE INTO.
//
// Each operator adds to the writes of the transaction; a statement that fails leaves them behind, and DuckDB rolls the
// transaction back. Rows may come in from several threads, unless their order or their number matters.
#include <duckdb/execution/operator/scan/physical_table_scan.hpp>
#include <duckdb/parallel/task_scheduler.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/operator/logical_comparison_join.hpp>

#include <memory>
#include <mutex>
#include <utility>

#include "sql/call_function.h"
#include "sql/connection_state.h"
#include "sql/create_table.h"
#include "sql/insert_operator.h"
#include "sql/row_ids.h"
#include "sql/sql_error.h"
#include "sql/sql_scan.h"
#include "sql/write_operator.h"
#include "write/bulk_change.h"

namespace yarrow::sql {
namespace {

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

// The many rows that one thread brought.
struct ChangeLocal : public duckdb::LocalSinkState {
  std::unique_ptr<BulkChange> rows;
};

struct ChangeState : public WriteState {
  using WriteState::WriteState;
  std::unique_ptr<BulkChange> many;  // under mutex, the rows of threads that are done
};

// UPDATE and DELETE. Few rows are changed as they come, each by itself; many are collected and changed at the end.
class ChangeOperator : public WriteOperator {
 public:
  // `row_id`: the column of the input that holds the rows' keys. `is_joined`: rows may come several times.
  ChangeOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::idx_t cardinality, duckdb::TableCatalogEntry& table, duckdb::idx_t row_id, bool returns_rows,
                 bool is_joined, RowChecks checks = {})
      : WriteOperator(plan, std::move(result_types), cardinality, table.catalog, TableOf(table), returns_rows,
                      std::move(checks)),
        row_id_(row_id),
        is_joined_(is_joined) {}

  // Of a row that comes several times the first counts.
  bool ParallelSink() const override { return !returns_rows_ && !is_joined_; }

  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(ClientContext& context) const override {
    auto state = MakeState<ChangeState>(context, table_);
    if (is_joined_) state->ChangeRowsOnce();
    return state;
  }
  duckdb::unique_ptr<duckdb::LocalSinkState> GetLocalSinkState(duckdb::ExecutionContext&) const override {
    return duckdb::make_uniq<ChangeLocal>();
  }

  duckdb::SinkResultType Sink(duckdb::ExecutionContext& context, DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override {
    auto& state = input.global_state.Cast<ChangeState>();
    auto& local = input.local_state.Cast<ChangeLocal>();
    const bool collect = !returns_rows_ && (is_joined_ || local.rows || chunk.size() > kFewRows);
    if (collect) {
      Collect(context.client, state, local, chunk);
    } else {
      const std::lock_guard writing(state.transaction.write_mutex());
      Write(context.client, state, chunk);
    }
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }

  duckdb::SinkCombineResultType Combine(duckdb::ExecutionContext&,
                                        duckdb::OperatorSinkCombineInput& input) const override {
    auto& state = input.global_state.Cast<ChangeState>();
    auto& local = input.local_state.Cast<ChangeLocal>();
    return AddTo(&state, &state.many, std::move(local.rows));
  }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&, ClientContext&,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    auto& state = input.global_state.Cast<ChangeState>();
    const std::lock_guard writing(state.transaction.write_mutex());
    if (state.many) {
      state.rows += Check(state.transaction.impl().Apply(state.many.get()));
      state.many.reset();
    }
    Check(state.changes.FinishUpdates(state.impl()));
    state.FlushReturned();
    Check(state.transaction.impl().FinishStatement());
    return duckdb::SinkFinalizeType::READY;
  }

 protected:
  virtual void Write(ClientContext& context, WriteState& state, DataChunk& chunk) const = 0;
  // Adds rows with these keys.
  virtual void Add(ClientContext& context, const TableImpl& table, DataChunk& chunk, const duckdb::string_t* keys,
                   BulkChange* rows) const = 0;

  const duckdb::idx_t row_id_;
  const bool is_joined_;

 private:
  static constexpr duckdb::idx_t kFewRows = 16;

  void Collect(ClientContext& context, ChangeState& state, ChangeLocal& local, DataChunk& chunk) const {
    if (!local.rows) {
      const auto threads = static_cast<uint64_t>(duckdb::TaskScheduler::GetScheduler(context).NumberOfThreads());
      local.rows = std::make_unique<BulkChange>(state.impl(), kSortBufferBytes / threads);
    }
    chunk.Flatten();
    std::optional<duckdb::Vector> buffer;
    const auto* const keys = KeysOfRowIds(chunk.data[row_id_], chunk.size(), &buffer);
    Add(context, state.impl(), chunk, keys, local.rows.get());
  }
};

class DeleteOperator : public ChangeOperator {
 public:
  // `removes_segments`: those that the scan leaves out (ScanBindData::leaves_segments).
  DeleteOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::idx_t cardinality, duckdb::TableCatalogEntry& table, duckdb::idx_t row_id, bool returns_rows,
                 bool is_joined, bool removes_segments)
      : ChangeOperator(plan, std::move(result_types), cardinality, table, row_id, returns_rows, is_joined),
        removes_segments_(removes_segments) {}
  duckdb::string GetName() const override { return "YARROW_DELETE"; }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline& pipeline, duckdb::Event& event, ClientContext& context,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    if (removes_segments_) {
      auto& state = input.global_state.Cast<ChangeState>();
      const std::lock_guard writing(state.transaction.write_mutex());
      TransactionImpl& transaction = state.transaction.impl();
      state.rows += Finished(context, SqlTransaction::IsOfOneStatement(context)
                                          ? transaction.RemoveAllRows(state.impl(), context.interrupted)
                                          : transaction.RemoveSegments(state.impl()));
    }
    return ChangeOperator::Finalize(pipeline, event, context, input);
  }

 protected:
  void Write(ClientContext&, WriteState& state, DataChunk& chunk) const override { DeleteRows(state, chunk, row_id_); }

  void Add(ClientContext&, const TableImpl& table, DataChunk& chunk, const duckdb::string_t* keys,
           BulkChange* rows) const override {
    for (duckdb::idx_t i = 0; i < chunk.size(); ++i) Check(rows->Delete(KeyOf(table, keys[i])));
  }

 private:
  const bool removes_segments_;
};

// Whether a scan below leaves its segments to the DELETE.
bool LeavesSegments(const duckdb::PhysicalOperator& op) {
  if (op.type == duckdb::PhysicalOperatorType::TABLE_SCAN) {
    const auto& scan = op.Cast<duckdb::PhysicalTableScan>();
    return scan.function.name == "yarrow_scan" && scan.bind_data->Cast<ScanBindData>().leaves_segments;
  }
  for (const auto& child : op.children) {
    if (LeavesSegments(child.get())) return true;
  }
  return false;
}

class UpdateOperator : public ChangeOperator {
 public:
  UpdateOperator(duckdb::PhysicalPlan& plan, duckdb::vector<duckdb::LogicalType> result_types,
                 duckdb::idx_t cardinality, duckdb::TableCatalogEntry& table, duckdb::idx_t row_id, bool returns_rows,
                 bool is_joined, Assignment assignment, RowChecks checks)
      : ChangeOperator(plan, std::move(result_types), cardinality, table, row_id, returns_rows, is_joined,
                       std::move(checks)),
        assignment_(std::move(assignment)) {}
  duckdb::string GetName() const override { return "YARROW_UPDATE"; }

 protected:
  void Write(ClientContext& context, WriteState& state, DataChunk& chunk) const override {
    DataChunk updated;
    assignment_.MakeRows(context, chunk, &updated);
    checks_.Test(context, updated);
    assignment_.Apply(state, chunk, updated, row_id_);
  }

  void Add(ClientContext& context, const TableImpl& table, DataChunk& chunk, const duckdb::string_t* keys,
           BulkChange* rows) const override {
    DataChunk updated;
    assignment_.MakeRows(context, chunk, &updated);
    checks_.Test(context, updated);
    std::string key;
    ForEachBatch(context, table, updated, [&](const arrow::RecordBatch& batch, duckdb::idx_t first) {
      return rows->Update(batch, [&](int64_t i) -> std::string_view {
        return key = KeyOf(table, keys[first + static_cast<duckdb::idx_t>(i)]);
      });
    });
  }

 private:
  const Assignment assignment_;
};

bool IsJoined(const duckdb::LogicalOperator& op);

// Joins that ask whether there is a row on the other side bring each of theirs once.
bool IsJoinedBy(const duckdb::LogicalComparisonJoin& join) {
  switch (join.join_type) {
    case duckdb::JoinType::SEMI:
    case duckdb::JoinType::ANTI:
    case duckdb::JoinType::MARK:
    case duckdb::JoinType::SINGLE:
      return IsJoined(*join.children[0]);
    case duckdb::JoinType::RIGHT_SEMI:
    case duckdb::JoinType::RIGHT_ANTI:
      return IsJoined(*join.children[1]);
    default:
      return true;
  }
}

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
    case duckdb::LogicalOperatorType::LOGICAL_COMPARISON_JOIN:
      return IsJoinedBy(op.Cast<duckdb::LogicalComparisonJoin>());
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

duckdb::PhysicalOperator& SqlCatalog::PlanInsert(ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                                 duckdb::LogicalInsert& op,
                                                 duckdb::optional_ptr<duckdb::PhysicalOperator> plan) {
  if (!op.column_index_map.empty()) plan = planner.ResolveDefaultsProjection(op, *plan);
  auto& insert = planner.Make<InsertOperator>(op.types, op.estimated_cardinality, *this, TableOf(op.table),
                                              op.return_chunk, RowChecks(context, op.table, op.bound_constraints));
  if (ConnectionState::Of(context)->fills_tables) insert.Cast<InsertOperator>().LeaveReferences();
  insert.children.push_back(*plan);
  return insert;
}

duckdb::PhysicalOperator& SqlCatalog::PlanDelete(ClientContext&, duckdb::PhysicalPlanGenerator& planner,
                                                 duckdb::LogicalDelete& op, duckdb::PhysicalOperator& plan) {
  const auto& row_id = op.expressions[0]->Cast<duckdb::BoundReferenceExpression>();
  auto& erase = planner.Make<DeleteOperator>(op.types, op.estimated_cardinality, op.table, row_id.index,
                                             op.return_chunk, IsJoined(*op.children[0]), LeavesSegments(plan));
  erase.children.push_back(plan);
  return erase;
}

duckdb::PhysicalOperator& SqlCatalog::PlanUpdate(ClientContext& context, duckdb::PhysicalPlanGenerator& planner,
                                                 duckdb::LogicalUpdate& op, duckdb::PhysicalOperator& plan) {
  const duckdb::idx_t row_id = plan.types.size() - 1;  // the binder adds it last
  auto& update = planner.Make<UpdateOperator>(op.types, op.estimated_cardinality, op.table, row_id, op.return_chunk,
                                              IsJoined(*op.children[0]),
                                              Assignment(op.table, op.columns, op.expressions, op.bound_defaults),
                                              RowChecks(context, op.table, op.bound_constraints));
  update.children.push_back(plan);
  return update;
}

}  // namespace yarrow::sql
