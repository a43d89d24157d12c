// The operator that ends INSERT and what else fills a table.
#pragma once

#include <duckdb/parallel/task_scheduler.hpp>

#include <memory>
#include <mutex>
#include <utility>

#include "sql/sql_error.h"
#include "sql/write_operator.h"

namespace yarrow::sql {

// Adds the rows of a thread that is done, if it brought any. That thread sorts them.
template <class Rows>
duckdb::SinkCombineResultType AddTo(WriteState* state, std::unique_ptr<Rows>* all, std::unique_ptr<Rows> rows) {
  if (rows != nullptr) rows->Sort();
  const std::lock_guard guard(state->mutex);
  if (*all != nullptr && rows != nullptr) {
    (*all)->Absorb(rows.get());
  } else if (rows != nullptr) {
    *all = std::move(rows);
  }
  return duckdb::SinkCombineResultType::FINISHED;
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
    checks_.Test(context.client, chunk);
    AddChunk(context.client, state.impl(), chunk, local.rows.get());
    if (state.returned) state.returned->Append(chunk);
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }

  duckdb::SinkCombineResultType Combine(duckdb::ExecutionContext&,
                                        duckdb::OperatorSinkCombineInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    auto& local = input.local_state.Cast<InsertLocal>();
    return AddTo(&state, &state.inserted, std::move(local.rows));
  }

  duckdb::SinkFinalizeType Finalize(duckdb::Pipeline&, duckdb::Event&, ClientContext&,
                                    duckdb::OperatorSinkFinalizeInput& input) const override {
    auto& state = input.global_state.Cast<WriteState>();
    if (!state.inserted) return duckdb::SinkFinalizeType::READY;
    const std::lock_guard writing(state.transaction.write_mutex());
    state.rows = state.inserted->rows();
    Check(state.changes.Insert(state.impl(), state.inserted.get()));
    state.inserted.reset();
    if (checks_references_) Check(state.transaction.impl().FinishStatement());
    return duckdb::SinkFinalizeType::READY;
  }

  // Leaves FOREIGN KEYs to the next statement of the transaction, or its commit, for a statement with several inserts.
  void LeaveReferences() { checks_references_ = false; }

 private:
  bool checks_references_ = true;
};

}  // namespace yarrow::sql
