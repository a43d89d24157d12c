#include "sql/write_operator.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>

#include "sql/arrow_export.h"
#include "sql/row_ids.h"
#include "sql/sql_error.h"
#include "sql/sql_type.h"
#include "sql/stored_vectors.h"
#include "store/store_commits.h"
#include "type/type_traits.h"

namespace yarrow::sql {
namespace {

struct ReturnState : public duckdb::GlobalSourceState {
  duckdb::ColumnDataScanState scan;
};

// A table that the transaction sees, and another one has dropped, is a conflict like any other change of the table.
void CheckWritable(const TableImpl& table) {
  const arrow::Status status = table.CheckWritable();
  Check(status.IsKeyError() ? ConflictError("table " + table.definition().QualifiedName() +
                                            " was dropped by another transaction after this one began")
                            : status);
}

// As DuckDB exports the chunk. Nanoseconds have no time zone there; those of a column that has one are in UTC.
std::shared_ptr<arrow::Schema> SchemaOf(const TableImpl& table, const DataChunk& chunk,
                                        const duckdb::vector<duckdb::string>& names, duckdb::ClientProperties& layout) {
  ArrowSchema exported;
  duckdb::ArrowConverter::ToArrowSchema(&exported, chunk.GetTypes(), names, layout);
  auto schema = Check(arrow::ImportSchema(&exported));
  for (int i = 0; i < schema->num_fields(); ++i) {
    const ColumnType& type = table.definition().columns[static_cast<size_t>(i)].type;
    if (type.id != TypeId::kTimestamp || type.unit != TimeUnit::kNano || type.timezone.empty()) continue;
    schema = Check(schema->SetField(i, schema->field(i)->WithType(type.ToArrow())));
  }
  return schema;
}

// The chunk itself where DuckDB exports its columns to Arrow without loss, else `stored`, which refers to it.
DataChunk& ToStoredChunk(const TableImpl& table, DataChunk& chunk, DataChunk* stored) {
  const auto& columns = table.definition().columns;
  duckdb::vector<duckdb::LogicalType> types = chunk.GetTypes();
  bool is_same = true;
  for (size_t i = 0; i < types.size(); ++i) {
    if (IsBatchTypeArrow(columns[i].type) && columns[i].type.id != TypeId::kGeometry) continue;
    types[i] = StoredLogicalType(columns[i].type);
    is_same = false;
  }
  if (is_same) return chunk;
  stored->InitializeEmpty(types);
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == chunk.data[i].GetType()) {
      stored->data[i].Reference(chunk.data[i]);
    } else {
      stored->data[i].Reference(ToStoredVector(chunk.data[i], chunk.size(), columns[i].type));
    }
  }
  stored->SetCardinality(chunk.size());
  return *stored;
}

}  // namespace

std::string KeyOf(const TableImpl& table, const duckdb::string_t& own_key) {
  std::string key = table.key_prefix();
  key.append(own_key.GetData(), own_key.GetSize());
  return key;
}

void WriteState::Return(const std::vector<Value>& row, const char* merge_action) {
  const duckdb::idx_t at = returned_chunk.size();
  const duckdb::idx_t columns = impl().definition().visible_columns();
  for (duckdb::idx_t c = 0; c < columns; ++c) {
    returned_chunk.SetValue(c, at, ToDuckDb(row[c], impl().definition().columns[c].type));
  }
  if (merge_action != nullptr) returned_chunk.SetValue(columns, at, duckdb::Value(merge_action));
  returned_chunk.SetCardinality(at + 1);
  if (at + 1 == STANDARD_VECTOR_SIZE) FlushReturned();
}

void WriteState::FlushReturned() {
  if (!returned || returned_chunk.size() == 0) return;
  returned->Append(returned_chunk);
  returned_chunk.Reset();
}

duckdb::unique_ptr<duckdb::GlobalSourceState> WriteOperator::GetGlobalSourceState(ClientContext&) const {
  auto state = duckdb::make_uniq<ReturnState>();
  const auto& written = sink_state->Cast<WriteState>();
  if (written.returned) written.returned->InitializeScan(state->scan);
  return state;
}

SqlTransaction& WriteOperator::BeginWriting(ClientContext& context, const SqlTable& table) const {
  SqlTransaction& transaction = SqlTransaction::Of(context, catalog_);
  CheckWritable(*table.table());
  const std::lock_guard writing(transaction.write_mutex());
  transaction.StatementView();  // seals what earlier statements wrote, before this one adds its own
  transaction.impl().Touch(table.table());
  return transaction;
}

duckdb::SourceResultType WriteOperator::GetDataInternal(duckdb::ExecutionContext&, DataChunk& chunk,
                                                        duckdb::OperatorSourceInput& input) const {
  const auto& state = sink_state->Cast<WriteState>();
  if (!state.returned) {
    chunk.SetCardinality(1);
    chunk.SetValue(0, 0, duckdb::Value::BIGINT(static_cast<int64_t>(state.rows)));
    return duckdb::SourceResultType::FINISHED;
  }
  state.returned->Scan(input.global_state.Cast<ReturnState>().scan, chunk);
  return chunk.size() == 0 ? duckdb::SourceResultType::FINISHED : duckdb::SourceResultType::HAVE_MORE_OUTPUT;
}

void ForEachBatch(ClientContext& context, const TableImpl& table, DataChunk& values, const TakeBatch& take) {
  duckdb::ClientProperties layout = ArrowLayout(&context);
  duckdb::vector<duckdb::string> names;
  for (size_t i = 0; i < table.definition().visible_columns(); ++i) names.push_back(table.definition().columns[i].name);
  DataChunk stored;
  DataChunk& chunk = ToStoredChunk(table, values, &stored);
  const auto schema = SchemaOf(table, chunk, names, layout);
  for (duckdb::idx_t first = 0; first < chunk.size();) {
    const duckdb::idx_t count = RowsOfArray(chunk, names, first);
    ArrowArray array = ToArrowArray(chunk, first, count, layout);
    Check(take(*Check(arrow::ImportRecordBatch(&array, schema)), first));
    first += count;
  }
}

void AddChunk(ClientContext& context, const TableImpl& table, DataChunk& chunk, RowIntake* rows) {
  ForEachBatch(context, table, chunk, [&](const arrow::RecordBatch& batch, duckdb::idx_t) { return rows->Add(batch); });
}

std::shared_ptr<SqlTable> TableOf(duckdb::TableCatalogEntry& entry) {
  return entry.Cast<SqlTable>().shared_from_this();
}

Assignment::Assignment(const duckdb::TableCatalogEntry& table, const duckdb::vector<duckdb::PhysicalIndex>& columns,
                       const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& values,
                       const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& defaults)
    : types_(table.GetTypes()), columns_(columns) {
  for (size_t i = 0; i < values.size(); ++i) {
    const bool is_default = values[i]->GetExpressionType() == duckdb::ExpressionType::VALUE_DEFAULT;
    sources_.push_back(is_default ? Source{.column = 0, .default_value = defaults[columns_[i].index]->Copy()}
                                  : Source{.column = values[i]->Cast<duckdb::BoundReferenceExpression>().index,
                                           .default_value = nullptr});
  }
  if (columns_.size() != types_.size()) {
    throw duckdb::InvalidInputException("an UPDATE of " + table.name + " without all of its columns");
  }
}

void Assignment::MakeRows(ClientContext& context, DataChunk& chunk, DataChunk* rows) const {
  rows->InitializeEmpty(types_);
  for (size_t i = 0; i < columns_.size(); ++i) {
    const size_t c = columns_[i].index;
    if (sources_[i].default_value) {
      duckdb::ExpressionExecutor executor(context, *sources_[i].default_value);
      duckdb::Vector values(types_[c]);
      executor.ExecuteExpression(chunk, values);
      rows->data[c].Reference(values);
    } else {
      rows->data[c].Reference(chunk.data[sources_[i].column]);
    }
  }
  rows->SetCardinality(chunk.size());
}

void Assignment::Apply(WriteState& state, DataChunk& chunk, DataChunk& rows, duckdb::idx_t row_id,
                       const char* merge_action) const {
  const TableDefinition& definition = state.impl().definition();
  std::vector<std::pair<int, Value>> assignments(columns_.size());
  std::vector<Value> row;
  std::optional<duckdb::Vector> buffer;
  const auto* const keys = KeysOfRowIds(chunk.data[row_id], chunk.size(), &buffer);
  for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      const size_t column = columns_[c].index;
      assignments[c] = {static_cast<int>(column),
                        Check(FromDuckDb(rows.GetValue(column, i), definition.columns[column].type))};
    }
    const std::string key = KeyOf(state.impl(), keys[i]);
    if (state.IsChanged(key)) continue;
    std::vector<Value>* const updated = state.returned ? &row : nullptr;
    if (!Check(state.changes.UpdateEncoded(state.impl(), key, assignments, updated))) continue;
    state.NoteChange(key);
    if (state.returned) state.Return(row, merge_action);
  }
}

void DeleteRows(WriteState& state, DataChunk& chunk, duckdb::idx_t row_id, const char* merge_action) {
  std::vector<Value> row;
  std::optional<duckdb::Vector> buffer;
  const auto* const keys = KeysOfRowIds(chunk.data[row_id], chunk.size(), &buffer);
  for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
    const std::string key = KeyOf(state.impl(), keys[i]);
    if (state.IsChanged(key)) continue;
    if (!Check(state.changes.DeleteEncoded(state.impl(), key, state.returned ? &row : nullptr))) continue;
    state.NoteChange(key);
    if (state.returned) state.Return(row, merge_action);
  }
}

}  // namespace yarrow::sql
