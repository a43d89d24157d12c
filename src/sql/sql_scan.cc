#include "sql/sql_scan.h"

#include <duckdb/parallel/task_scheduler.hpp>

#include <atomic>
#include <utility>
#include <vector>

#include "batch/row_decoder.h"
#include "sql/filter_translation.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/sql_type.h"
#include "sql/vector_sink.h"
#include "table/morsels.h"
#include "table/piece_scanner.h"
#include "table/row_walker.h"

namespace yarrow::sql {
namespace {

using duckdb::ClientContext;
using duckdb::TableFunctionInitInput;
using duckdb::TableFunctionInput;

constexpr int64_t kVectorRows = STANDARD_VECTOR_SIZE;
// Rows looked at before a chunk is handed on with what it has, so that a LIMIT above is not kept waiting.
constexpr uint64_t kVisitsPerChunk = 8 * STANDARD_VECTOR_SIZE;
// What an output vector holds instead of a column of the table.
constexpr int kRowKey = -1;
constexpr int kNothing = -2;

// Takes the rows that pass: cells into vectors, and their keys where those were asked for.
class VectorTaker {
 public:
  VectorTaker(const TableImpl& table, std::vector<int> columns)
      : key_prefix_size_(table.key_prefix().size()), decoder_(table.row_schema(), std::move(columns)) {}

  void Attach(const std::vector<duckdb::Vector*>& cells, duckdb::Vector* keys) {
    sink_.Attach(cells);
    keys_ = keys;
  }
  arrow::Status Append(std::string_view key, std::string_view row) {
    const auto at = static_cast<size_t>(sink_.row());
    ARROW_RETURN_NOT_OK(decoder_.Decode(key, row, sink_));
    if (keys_ != nullptr) {
      const std::string_view own = key.substr(key_prefix_size_);
      duckdb::FlatVector::GetData<duckdb::string_t>(*keys_)[at] =
          duckdb::StringVector::AddStringOrBlob(*keys_, own.data(), own.size());
    }
    return arrow::Status::OK();
  }
  int64_t rows() const { return sink_.row(); }
  bool full() const { return false; }
  uint64_t rows_decoded() const { return decoder_.rows_decoded(); }
  uint64_t bytes_decoded() const { return decoder_.bytes_decoded(); }

 private:
  const size_t key_prefix_size_;
  VectorSink sink_;
  batch::RowDecoder<VectorSink> decoder_;
  duckdb::Vector* keys_ = nullptr;
};

struct ScanGlobal : public duckdb::GlobalTableFunctionState {
  duckdb::idx_t MaxThreads() const override { return max_threads; }

  std::shared_ptr<const ScanPlan> plan;
  Snapshot snapshot;
  std::vector<int> outputs;  // by output vector: which decoded column, kRowKey or kNothing
  std::vector<Morsel> morsels;
  std::atomic<size_t> next_morsel{0};
  std::atomic<size_t> morsels_done{0};
  std::atomic<int64_t> rows_given{0};
  ScanCounters counters;
  duckdb::idx_t max_threads = 1;
};

struct ScanLocal : public duckdb::LocalTableFunctionState {
  ScanLocal(const ScanGlobal& global, const TableImpl& table, const std::atomic<bool>* interrupted)
      : walker(global.plan, global.snapshot, interrupted), taker(table, global.plan->decoded->columns()) {}

  RowWalker walker;
  VectorTaker taker;
  ScanMetrics counted;
  size_t morsel = 0;
  bool has_morsel = false;
};

const ScanBindData& BindDataOf(duckdb::optional_ptr<const duckdb::FunctionData> data) {
  return data->Cast<ScanBindData>();
}

// All filters as one predicate: DuckDB does not test again what it has pushed down.
Predicate MakePredicate(const TableFunctionInitInput& input, const SqlTable& entry) {
  std::vector<Predicate> conjuncts;
  if (!input.filters) return {};
  for (const auto& [index, filter] : input.filters->filters) {
    const duckdb::column_t id = input.column_ids[index];
    const bool is_optional = filter->filter_type == duckdb::TableFilterType::OPTIONAL_FILTER;
    std::optional<Predicate> predicate;
    if (!duckdb::IsVirtualColumn(id)) {
      const ColumnDefinition& column = entry.table()->definition().columns[id];
      predicate = TranslateFilter(*filter, static_cast<int>(id), column.type);
    }
    if (!predicate && !is_optional) {
      throw duckdb::NotImplementedException("Table " + entry.table()->definition().QualifiedName() + ": the filter " +
                                            filter->ToString("column") + " cannot be applied");
    }
    if (predicate) conjuncts.push_back(*std::move(predicate));
  }
  return Predicate::And(std::move(conjuncts));
}

// Which columns are decoded, and where they go.
std::vector<int> PlanOutputs(const TableFunctionInitInput& input, std::vector<int>* outputs) {
  std::vector<duckdb::column_t> ids;
  if (!input.projection_ids.empty()) {
    for (const duckdb::idx_t i : input.projection_ids) ids.push_back(input.column_ids[i]);
  } else {
    ids.assign(input.column_ids.begin(), input.column_ids.end());
  }
  std::vector<int> decoded;
  for (const duckdb::column_t id : ids) {
    if (id == duckdb::COLUMN_IDENTIFIER_ROW_ID) {
      outputs->push_back(kRowKey);
    } else if (duckdb::IsVirtualColumn(id)) {
      outputs->push_back(kNothing);
    } else {
      outputs->push_back(static_cast<int>(decoded.size()));
      decoded.push_back(static_cast<int>(id));
    }
  }
  return decoded;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> InitGlobal(ClientContext& context, TableFunctionInitInput& input) {
  const ScanBindData& bind = BindDataOf(input.bind_data);
  const SqlTable& entry = *bind.table;
  SqlTransaction& transaction = SqlTransaction::Of(context, bind.table->catalog);
  auto global = duckdb::make_uniq<ScanGlobal>();
  global->snapshot = transaction.impl().snapshot();
  Check(entry.table()->CheckReadable(global->snapshot));
  ScanRequest request;
  request.columns = PlanOutputs(input, &global->outputs);
  request.predicate = MakePredicate(input, entry);
  request.limit = bind.limit;
  request.threads = static_cast<int>(duckdb::TaskScheduler::GetScheduler(context).NumberOfThreads());
  global->plan = Check(MakeScanPlan(entry.table()->MakeSource(transaction.StatementView()), request));
  const bool short_limit = bind.limit && *bind.limit <= kVectorRows && !global->plan->predicate;
  if (short_limit || global->plan->source.kind != SourceKind::kHot) {
    if (!global->plan->ranges.empty()) global->morsels.push_back(global->plan->ranges);
  } else {
    global->morsels = CutIntoMorsels(*global->plan);
  }
  global->max_threads = std::max<size_t>(global->morsels.size(), 1);
  return global;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> InitLocal(duckdb::ExecutionContext& context,
                                                              TableFunctionInitInput& input,
                                                              duckdb::GlobalTableFunctionState* global) {
  return duckdb::make_uniq<ScanLocal>(global->Cast<ScanGlobal>(), *BindDataOf(input.bind_data).table->table(),
                                      &context.client.interrupted);
}

// False when there is none left.
bool NextMorsel(ScanGlobal& global, ScanLocal& local) {
  if (std::exchange(local.has_morsel, false)) global.morsels_done.fetch_add(1, std::memory_order_relaxed);
  local.morsel = global.next_morsel.fetch_add(1);
  if (local.morsel >= global.morsels.size()) return false;
  local.walker.Start(global.morsels[local.morsel]);
  return local.has_morsel = true;
}

void AttachOutputs(const ScanGlobal& global, ScanLocal& local, duckdb::DataChunk& output) {
  std::vector<duckdb::Vector*> cells(global.plan->decoded->columns().size());
  duckdb::Vector* keys = nullptr;
  for (size_t i = 0; i < global.outputs.size(); ++i) {
    duckdb::Vector& vector = output.data[i];
    if (global.outputs[i] >= 0) {
      cells[static_cast<size_t>(global.outputs[i])] = &vector;
    } else if (global.outputs[i] == kRowKey) {
      keys = &vector;
    } else {
      vector.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      duckdb::ConstantVector::SetNull(vector, true);
    }
  }
  local.taker.Attach(cells, keys);
}

void CountScan(ScanGlobal& global, ScanLocal& local) {
  const ScanMetrics now{.rows_visited = local.walker.rows_visited(),
                        .rows_passed = local.taker.rows_decoded(),
                        .bytes_visited = local.walker.bytes_visited(),
                        .bytes_decoded = local.taker.bytes_decoded()};
  global.counters.Add(now, local.counted);
  local.counted = now;
}

// Chunks never span morsels: their number is the chunks' place in key order.
void Scan(ClientContext& context, TableFunctionInput& data, duckdb::DataChunk& output) {
  auto& global = data.global_state->Cast<ScanGlobal>();
  auto& local = data.local_state->Cast<ScanLocal>();
  AttachOutputs(global, local, output);
  const int64_t limit = global.plan->limit;
  while (true) {
    if (context.interrupted) throw duckdb::InterruptException();
    if (limit != ScanPlan::kNoLimit && global.rows_given.load() >= limit) return;
    if ((!local.has_morsel || local.walker.at_end()) && !NextMorsel(global, local)) return;
    const arrow::Status walked = local.walker.Walk(local.taker, std::min(limit, kVectorRows), kVisitsPerChunk);
    CountScan(global, local);
    Check(walked);
    if (local.taker.rows() == 0) continue;
    global.rows_given.fetch_add(local.taker.rows());
    output.SetCardinality(static_cast<duckdb::idx_t>(local.taker.rows()));
    return;
  }
}

duckdb::OperatorPartitionData PartitionData(ClientContext&, duckdb::TableFunctionGetPartitionInput& input) {
  return duckdb::OperatorPartitionData(input.local_state->Cast<ScanLocal>().morsel);
}

double Progress(ClientContext&, const duckdb::FunctionData*, const duckdb::GlobalTableFunctionState* state) {
  const auto& global = state->Cast<ScanGlobal>();
  if (global.morsels.empty()) return 100;
  return 100.0 * static_cast<double>(global.morsels_done.load()) / static_cast<double>(global.morsels.size());
}

duckdb::unique_ptr<duckdb::NodeStatistics> Cardinality(ClientContext&, const duckdb::FunctionData* data) {
  return duckdb::make_uniq<duckdb::NodeStatistics>(data->Cast<ScanBindData>().table->EstimateRows());
}

duckdb::BindInfo GetBindInfo(const duckdb::optional_ptr<duckdb::FunctionData> data) {
  return duckdb::BindInfo(*data->Cast<ScanBindData>().table);
}

duckdb::virtual_column_map_t VirtualColumns(ClientContext&, duckdb::optional_ptr<duckdb::FunctionData> data) {
  return data->Cast<ScanBindData>().table->GetVirtualColumns();
}

bool SupportsPushdown(const duckdb::FunctionData& data, duckdb::idx_t column) {
  const TableDefinition& table = data.Cast<ScanBindData>().table->table()->definition();
  return column < table.visible_columns() && IsSameUnit(table.columns[column].type);
}

duckdb::InsertionOrderPreservingMap<duckdb::string> ToText(duckdb::TableFunctionToStringInput& input) {
  const ScanBindData& bind = BindDataOf(input.bind_data);
  duckdb::InsertionOrderPreservingMap<duckdb::string> text;
  text["Table"] = bind.table->catalog.GetName() + "." + bind.table->table()->definition().QualifiedName();
  if (bind.limit) text["Limit"] = std::to_string(*bind.limit);
  return text;
}

duckdb::InsertionOrderPreservingMap<duckdb::string> ToTextAfterwards(duckdb::TableFunctionDynamicToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<duckdb::string> text;
  if (!input.global_state) return text;
  const auto& global = input.global_state->Cast<ScanGlobal>();
  const ScanMetrics metrics = global.counters.Read();
  text["Key ranges"] = std::to_string(global.plan->ranges.size());
  text["Rows visited"] = std::to_string(metrics.rows_visited);
  text["Rows passed"] = std::to_string(metrics.rows_passed);
  text["Bytes decoded"] = std::to_string(metrics.bytes_decoded);
  return text;
}

}  // namespace

duckdb::unique_ptr<duckdb::FunctionData> ScanBindData::Copy() const {
  auto copy = duckdb::make_uniq<ScanBindData>(table);
  copy->limit = limit;
  return copy;
}

bool ScanBindData::Equals(const duckdb::FunctionData& other) const {
  const auto& scan = other.Cast<ScanBindData>();
  return scan.table == table && scan.limit == limit;
}

duckdb::TableFunction ScanFunction() {
  duckdb::TableFunction function("yarrow_scan", {}, Scan, nullptr, InitGlobal, InitLocal);
  function.projection_pushdown = true;
  function.filter_pushdown = true;
  function.filter_prune = true;
  function.get_partition_data = PartitionData;
  function.table_scan_progress = Progress;
  function.cardinality = Cardinality;
  function.get_bind_info = GetBindInfo;
  function.get_virtual_columns = VirtualColumns;
  function.supports_pushdown_type = SupportsPushdown;
  function.to_string = ToText;
  function.dynamic_to_string = ToTextAfterwards;
  return function;
}

}  // namespace yarrow::sql
