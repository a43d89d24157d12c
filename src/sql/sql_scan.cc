#include "sql/sql_scan.h"

#include <duckdb/execution/operator/scan/physical_table_scan.hpp>
#include <duckdb/main/query_profiler.hpp>
#include <duckdb/main/settings.hpp>
#include <duckdb/parallel/task_scheduler.hpp>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "key/key_range.h"
#include "predicate/row_predicate.h"
#include "scan/cold_pieces.h"
#include "scan/morsels.h"
#include "scan/piece_scanner.h"
#include "scan/row_walker.h"
#include "sql/cold_conditions.h"
#include "sql/cold_scan.h"
#include "sql/cold_way.h"
#include "sql/condition_translation.h"
#include "sql/filter_paths.h"
#include "sql/joined_expressions.h"
#include "sql/morsel_queue.h"
#include "sql/ordered_scan.h"
#include "sql/run_time_filter.h"
#include "sql/scan_filters.h"
#include "sql/scan_serialization.h"
#include "sql/sql_error.h"
#include "sql/sql_transaction.h"
#include "sql/sql_type.h"
#include "sql/stored_columns.h"
#include "sql/vector_taker.h"
#include "store/tombstone_count.h"
#include "tier/new_segments.h"
#include "type/type_traits.h"

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

struct ScanGlobal : public duckdb::GlobalTableFunctionState {
  duckdb::idx_t MaxThreads() const override { return max_threads; }

  std::shared_ptr<const ScanPlan> plan;
  Snapshot snapshot;
  duckdb::unique_ptr<duckdb::TableFilterSet> filters;  // in the place of the plan's, if at all
  std::vector<int> outputs;                            // by output vector: which decoded column, kRowKey or kNothing
  RunTimeFilter run_time_filter;
  MorselQueue morsels;                     // of the rows that RowWalker reads
  std::shared_ptr<const ColdPieces> cold;  // null: the table has no segments at the snapshot
  ColdWay cold_way = ColdWay::kAsRows;
  std::unique_ptr<const ColdScan> segments;    // for kByScan
  std::unique_ptr<const OrderedScan> ordered;  // for kInOrder
  std::atomic<uint64_t> rows_to_count{0};      // for kCounted; taken by one thread
  std::optional<int64_t> limit;
  std::atomic<int64_t> rows_given{0};
  ScanCounters counters;
  bool counts_tombstones = false;  // which slows the scan down: of EXPLAIN ANALYZE only
  std::atomic<uint64_t> tombstones{0};
  std::atomic<int> threads_at_work{0};
  duckdb::idx_t max_threads = 1;
};

struct ScanLocal : public duckdb::LocalTableFunctionState {
  ScanLocal(const ScanGlobal& global, const TableImpl& table, const std::atomic<bool>* interrupted)
      : walker(global.plan, global.snapshot, interrupted), taker(table, global.plan->decoded->columns()) {
    if (global.cold) {
      const bool as_rows = global.cold_way == ColdWay::kAsRows;
      walker.UseCold(global.snapshot, as_rows ? global.cold : std::make_shared<const ColdPieces>());
    }
  }

  RowWalker walker;
  VectorTaker taker;
  std::unique_ptr<OrderedReader> ordered;  // in the place of the walker
  bool rows_done = false;                  // segments are next
  ColdScan::Local segments;
  uint64_t rows_to_count = 0;
  uint64_t cold_rows = 0;
  ScanMetrics counted;
  std::optional<size_t> morsel;  // the piece that is being read
  RunTimeFilter::Look look;
  std::optional<std::vector<KeyRange>> narrowed;  // to what the run-time filter leaves, when it says something of keys
};

const ScanBindData& BindDataOf(duckdb::optional_ptr<const duckdb::FunctionData> data) {
  return data->Cast<ScanBindData>();
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

// A few rows are not worth cutting the table for.
std::vector<Morsel> CutPlan(const ScanPlan& plan, ColdWay cold_way) {
  const bool few_rows = plan.limit <= kVectorRows && !plan.predicate;
  if (!few_rows && plan.source.kind == SourceKind::kHot) {
    const bool with_segments = cold_way == ColdWay::kAsRows || cold_way == ColdWay::kInOrder;
    return CutIntoMorsels(plan, with_segments ? CutFor::kBothTiers : CutFor::kHotRows);
  }
  return plan.ranges.empty() ? std::vector<Morsel>() : std::vector<Morsel>{plan.ranges};
}

// Finds the segments that the scan reads, and how.
void PlanCold(ClientContext& context, const TableFunctionInitInput& input, ScanGlobal* global) {
  const ScanPlan& plan = *global->plan;
  if (!plan.source.MayHaveSegments()) return;
  ColdPieces pieces = Check(FindColdPieces(plan, global->snapshot));
  if (BindDataOf(input.bind_data).leaves_segments) {
    const auto own = NewSegmentIdsOf(plan.source.cold->table_id(), plan.source.overlay);
    std::erase_if(pieces.pieces, [&](const auto& piece) { return !own.contains(piece.segment->key().segment_id); });
  }
  global->cold = std::make_shared<const ColdPieces>(std::move(pieces));
  if (global->cold->pieces.empty()) return;
  ColdChoice choice = ChooseColdWay(context, input, plan, *global->cold);
  global->cold_way = choice.way;
  if (global->cold_way == ColdWay::kCounted) global->rows_to_count = global->cold->rows();
  if (global->cold_way == ColdWay::kByScan) {
    const size_t visible = BindDataOf(input.bind_data).table->table()->definition().visible_columns();
    global->segments = std::make_unique<const ColdScan>(context, *plan.source.row_schema, visible, global->cold, input,
                                                        std::move(choice.filters));
  }
}

IndexUse IndexUseOf(const ScanBindData& bind, Predicate told) {
  return {.order = bind.index_order ? &*bind.index_order : nullptr,
          .known = Predicate::And({bind.known, std::move(told)})};
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> InitGlobal(ClientContext& context, TableFunctionInitInput& input) {
  const ScanBindData& bind = BindDataOf(input.bind_data);
  const SqlTable& entry = *bind.table;
  SqlTransaction& transaction = SqlTransaction::Of(context, bind.table->catalog);
  ToStoredColumns(entry.table()->definition(), &input);
  auto global = duckdb::make_uniq<ScanGlobal>();
  global->snapshot = transaction.impl().snapshot();
  global->counts_tombstones = duckdb::QueryProfiler::Get(context).IsEnabled();
  Check(entry.table()->CheckReadable(global->snapshot));
  if (!bind.has_placed_filters) {
    global->filters = WithoutOptionalFilters(PlannedFilters(input));
    input.filters = global->filters.get();
  }
  ScanRequest request;
  request.columns = PlanOutputs(input, &global->outputs);
  for (const duckdb::column_t id : input.column_ids) {
    if (!duckdb::IsVirtualColumn(id)) request.tested_later.push_back(static_cast<int>(id));
  }
  TakeFilters(context, input, &global->run_time_filter, &request);
  request.limit = bind.limit;
  request.reverse = bind.reverse;
  request.threads = static_cast<int>(duckdb::TaskScheduler::GetScheduler(context).NumberOfThreads());
  global->plan = Check(MakeScanPlan(entry.table()->MakeSource(transaction.StatementView()), request));
  global->plan =
      Check(UseIndex(*entry.table(), global->plan, global->snapshot, IndexUseOf(bind, ToldByJoins(bind, input))));
  const bool in_order = bind.in_order || duckdb::Settings::Get<duckdb::PreserveInsertionOrderSetting>(context);
  PlanCold(context, input, global.get());
  if (global->cold_way == ColdWay::kInOrder) {
    const auto tested = OrderedScan::FilterColumns(input);
    request.columns.insert(request.columns.end(), tested.begin(), tested.end());
    global->ordered = std::make_unique<const OrderedScan>(input, Check(MakeScanPlan(global->plan->source, request)),
                                                          global->snapshot, global->cold);
  }
  const bool leaves_all = bind.leaves_segments && SqlTransaction::IsOfOneStatement(context);
  if (!leaves_all) global->morsels.Fill(CutPlan(*global->plan, global->cold_way), bind.limit, in_order);
  global->limit = bind.limit;
  global->max_threads = std::max<size_t>(global->morsels.size(), 1);
  const bool few_rows = bind.limit && *bind.limit <= kVectorRows;
  if (global->segments && !few_rows) global->max_threads += global->segments->MaxThreads();
  return global;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> InitLocal(duckdb::ExecutionContext& context,
                                                              TableFunctionInitInput& input,
                                                              duckdb::GlobalTableFunctionState* global) {
  auto& scan = global->Cast<ScanGlobal>();
  scan.threads_at_work.fetch_add(1);
  auto local =
      duckdb::make_uniq<ScanLocal>(scan, *BindDataOf(input.bind_data).table->table(), &context.client.interrupted);
  if (scan.segments) local->segments = scan.segments->MakeLocal(context);
  if (scan.ordered) {
    local->ordered = std::make_unique<OrderedReader>(context.client, *scan.ordered, &scan.counters);
  }
  return local;
}

// Looks what the run-time filter says by now.
void Narrow(const ScanGlobal& global, ScanLocal& local) {
  if (global.run_time_filter.empty()) return;
  const std::optional<Predicate> predicate = global.run_time_filter.Read(&local.look);
  if (!predicate) return;
  const ScanSource& source = global.plan->source;
  KeySplit split = Check(SplitOnKey(*predicate, *source.row_schema, source.key_prefix));
  local.narrowed = std::move(split.ranges);
  local.walker.Narrow(Check(RowPredicate::Compile(*predicate, source.row_schema)));
}

void FinishMorsel(ScanGlobal& global, ScanLocal& local) {
  if (local.morsel) global.morsels.Finish(*local.morsel);
  local.morsel.reset();
}

// False when there is none left.
bool NextMorsel(ScanGlobal& global, ScanLocal& local) {
  FinishMorsel(global, local);
  local.morsel = global.morsels.Next();
  if (!local.morsel) return false;
  const Morsel& morsel = global.morsels.morsel(*local.morsel);
  if (local.ordered) {
    local.ordered->Start(morsel);
    return true;
  }
  local.walker.Start(local.narrowed ? Intersect(morsel, *local.narrowed) : morsel);
  return true;
}

// Where the cells of the decoded columns go, and the keys, if at all.
struct OutputVectors {
  std::vector<duckdb::Vector*> cells;
  duckdb::Vector* keys = nullptr;
};
OutputVectors VectorsOf(const ScanGlobal& global, duckdb::DataChunk& output) {
  OutputVectors vectors;
  vectors.cells.resize(global.plan->decoded->columns().size());
  for (size_t i = 0; i < global.outputs.size(); ++i) {
    duckdb::Vector& vector = output.data[i];
    if (global.outputs[i] >= 0) {
      vectors.cells[static_cast<size_t>(global.outputs[i])] = &vector;
    } else if (global.outputs[i] == kRowKey) {
      vectors.keys = &vector;
    } else {
      vector.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
      duckdb::ConstantVector::SetNull(vector, true);
    }
  }
  return vectors;
}

void CountScan(ScanGlobal& global, ScanLocal& local) {
  const ScanMetrics now{.rows_visited = local.walker.rows_visited(),
                        .rows_passed = local.taker.rows_decoded() + local.cold_rows,
                        .bytes_visited = local.walker.bytes_visited(),
                        .bytes_decoded = local.taker.bytes_decoded(),
                        .row_groups_read = local.walker.row_groups_read() + local.segments.row_groups_read};
  global.counters.Add(now, local.counted);
  local.counted = now;
}

// Chunks never span morsels: their number is the chunks' place in the order of the scan. False at the end.
bool ScanRows(ClientContext& context, ScanGlobal& global, ScanLocal& local, duckdb::DataChunk& output) {
  const OutputVectors vectors = VectorsOf(global, output);
  local.taker.Attach(vectors.cells, vectors.keys);
  while (true) {
    if (context.interrupted) throw duckdb::InterruptException();
    Narrow(global, local);
    if ((!local.morsel || local.walker.at_end()) && !NextMorsel(global, local)) return false;
    const int64_t wanted = global.morsels.Wanted(*local.morsel);
    if (wanted <= 0) {
      FinishMorsel(global, local);
      continue;
    }
    const TombstoneCount tombstones(global.counts_tombstones);
    const arrow::Status walked = local.walker.Walk(local.taker, std::min(wanted, kVectorRows), kVisitsPerChunk);
    global.tombstones += tombstones.value();
    CountScan(global, local);
    Check(walked);
    if (local.taker.rows() == 0) continue;
    global.morsels.Give(*local.morsel, local.taker.rows());
    output.SetCardinality(static_cast<duckdb::idx_t>(local.taker.rows()));
    return true;
  }
}

// The same by OrderedScan.
bool ScanInOrder(ScanGlobal& global, ScanLocal& local, duckdb::DataChunk& output) {
  while (local.morsel || NextMorsel(global, local)) {
    const int64_t wanted = global.morsels.Wanted(*local.morsel);
    const OutputVectors vectors = VectorsOf(global, output);
    const int64_t rows = wanted > 0 ? local.ordered->Next(wanted, vectors.cells, output) : 0;
    if (rows > 0) {
      global.morsels.Give(*local.morsel, rows);
      return true;
    }
    FinishMorsel(global, local);
    output.Reset();
  }
  return false;
}

// Rows without anything in them.
void CountRows(ScanGlobal& global, ScanLocal& local, duckdb::DataChunk& output) {
  local.rows_to_count += global.rows_to_count.exchange(0);
  const auto rows = std::min<uint64_t>(local.rows_to_count, STANDARD_VECTOR_SIZE);
  local.rows_to_count -= rows;
  for (duckdb::Vector& vector : output.data) {
    vector.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
    duckdb::ConstantVector::SetNull(vector, true);
  }
  output.SetCardinality(rows);
}

void ScanSegments(ClientContext& context, ScanGlobal& global, ScanLocal& local, duckdb::DataChunk& output) {
  if (global.limit && global.rows_given >= *global.limit) return;
  if (global.cold_way == ColdWay::kCounted) CountRows(global, local, output);
  if (global.cold_way == ColdWay::kByScan && !global.segments->Next(context, local.segments, output)) return;
  local.cold_rows += output.size();
  CountScan(global, local);
}

void Scan(ClientContext& context, TableFunctionInput& data, duckdb::DataChunk& output) {
  auto& global = data.global_state->Cast<ScanGlobal>();
  auto& local = data.local_state->Cast<ScanLocal>();
  const auto next_rows = [&] {
    return local.ordered ? ScanInOrder(global, local, output) : ScanRows(context, global, local, output);
  };
  if (!local.rows_done && !next_rows()) {
    local.rows_done = true;
    output.Reset();
  }
  if (local.rows_done) ScanSegments(context, global, local, output);
  global.rows_given += static_cast<int64_t>(output.size());
}

duckdb::OperatorPartitionData PartitionData(ClientContext& context, duckdb::TableFunctionGetPartitionInput& input) {
  const auto& global = input.global_state->Cast<ScanGlobal>();
  auto& local = input.local_state->Cast<ScanLocal>();
  if (!local.rows_done) return duckdb::OperatorPartitionData(local.morsel.value_or(0));
  const bool is_scan = global.segments && local.segments.state;
  return duckdb::OperatorPartitionData(global.morsels.size() +
                                       (is_scan ? global.segments->BatchIndex(context, local.segments) : 0));
}

double Progress(ClientContext& context, const duckdb::FunctionData*, const duckdb::GlobalTableFunctionState* state) {
  const auto& global = state->Cast<ScanGlobal>();
  const double rows = 100.0 * global.morsels.Progress();
  return global.segments ? (rows + global.segments->Progress(context)) / 2 : rows;
}

duckdb::unique_ptr<duckdb::NodeStatistics> Cardinality(ClientContext&, const duckdb::FunctionData* data) {
  const auto& bind = data->Cast<ScanBindData>();
  return duckdb::make_uniq<duckdb::NodeStatistics>(bind.table->EstimateRows() + bind.new_rows);
}

duckdb::unique_ptr<duckdb::BaseStatistics> Statistics(ClientContext& context, const duckdb::FunctionData* data,
                                                      duckdb::column_t column) {
  return data->Cast<ScanBindData>().table->GetStatistics(context, column);
}

duckdb::BindInfo GetBindInfo(const duckdb::optional_ptr<duckdb::FunctionData> data) {
  return duckdb::BindInfo(*data->Cast<ScanBindData>().table);
}

duckdb::virtual_column_map_t VirtualColumns(ClientContext&, duckdb::optional_ptr<duckdb::FunctionData> data) {
  return data->Cast<ScanBindData>().table->GetVirtualColumns();
}

// A comparison of one column with a constant, or several of them: DuckDB makes filters of those, and learns from them
// how many rows to expect.
bool BecomesTableFilter(const duckdb::Expression& condition) {
  switch (condition.GetExpressionClass()) {
    case duckdb::ExpressionClass::BOUND_COMPARISON:
    case duckdb::ExpressionClass::BOUND_BETWEEN:
      return true;
    default:
      return false;
  }
}

// What conditions say of expressions that indexes have. They are tested as they would be without.
void NoteForIndexes(const ClientContext& context, const duckdb::LogicalGet& get,
                    const duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& conditions, ScanBindData* bind) {
  const TableImpl& table = *bind->table->table();
  const IndexedExpressions indexed(context, table, get);
  if (!indexed.has_any()) return;
  std::vector<Predicate> known{bind->known};
  for (const auto& condition : conditions) {
    if (auto predicate = TranslateForIndexes(*condition, get, table, indexed)) known.push_back(*std::move(predicate));
  }
  bind->known = Predicate::And(std::move(known));
}

// Takes the conditions that DuckDB's own table filters cannot say. What is taken here is tested nowhere else.
void TakeConditions(ClientContext& context, duckdb::LogicalGet& get, duckdb::FunctionData* data,
                    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& conditions) {
  auto& bind = data->Cast<ScanBindData>();
  NoteForIndexes(context, get, conditions, &bind);
  if (HasSegments(bind)) {  // parquet_scan would not know of what is taken
    return NoteColdConditions(get, bind.table->table()->definition(), conditions, &bind.cold_conditions);
  }
  std::vector<Predicate> taken{bind.filter};
  std::erase_if(conditions, [&](const auto& condition) {
    if (BecomesTableFilter(*condition)) return false;
    auto predicate = TranslateExpression(*condition, get, bind.table->table()->definition());
    if (!predicate) return false;
    taken.push_back(*std::move(predicate));
    return true;
  });
  bind.filter = Predicate::And(std::move(taken));
}

duckdb::InsertionOrderPreservingMap<duckdb::string> ToText(duckdb::TableFunctionToStringInput& input) {
  const ScanBindData& bind = BindDataOf(input.bind_data);
  duckdb::InsertionOrderPreservingMap<duckdb::string> text;
  text["Table"] = bind.table->catalog.GetName() + "." + bind.table->table()->definition().QualifiedName();
  if (!bind.index.empty()) text["Index"] = bind.index;
  if (!bind.key_ranges.empty()) text["Key ranges"] = bind.key_ranges;
  if (!bind.row_filter.empty()) text["Row filter"] = bind.row_filter;
  if (bind.in_order) text["Order"] = bind.reverse ? "by key, descending" : "by key";
  if (bind.leaves_segments) text["Segments"] = "removed as a whole";
  if (bind.limit) text["Limit"] = std::to_string(*bind.limit);
  return text;
}

// Each thread asks once, at its end, and the last to hand in its text wins, which need not be the last that asked: so
// only the thread that ends the scan, and knows what all have counted, gives one.
duckdb::InsertionOrderPreservingMap<duckdb::string> ToTextAfterwards(duckdb::TableFunctionDynamicToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<duckdb::string> text;
  if (!input.global_state) return text;
  auto& global = input.global_state->Cast<ScanGlobal>();
  if (global.threads_at_work.fetch_sub(1) > 1) return text;
  const ScanMetrics metrics = global.counters.Read();
  const ScanPlan& plan = *global.plan;
  const bool by_keys = !plan.index_text.empty() || (!plan.ranges.empty() && AreSingleKeys(plan.ranges));
  text["Type"] = by_keys ? "Index Scan" : "Sequential Scan";  // DuckDB's words
  if (!plan.index_text.empty()) text["Index"] = plan.index_text;
  text["Key ranges"] = plan.RangesText();
  text["Row filter"] = plan.FilterText();
  text["Rows visited"] = std::to_string(metrics.rows_visited);
  text["Tombstones stepped over"] = std::to_string(global.tombstones);
  text["Rows passed"] = std::to_string(metrics.rows_passed);
  text["Bytes visited"] = std::to_string(metrics.bytes_visited);
  text["Bytes decoded"] = std::to_string(metrics.bytes_decoded);
  if (global.cold && global.cold->segments > 0) {
    const size_t read = global.cold_way == ColdWay::kCounted ? 0 : global.cold->pieces.size();
    text["Segments read"] = std::to_string(read) + " of " + std::to_string(global.cold->segments);
    text["Row groups read"] =
        std::to_string(metrics.row_groups_read) + " of " + std::to_string(global.cold->row_groups);
  }
  return text;
}

}  // namespace

duckdb::unique_ptr<duckdb::FunctionData> ScanBindData::Copy() const {
  return duckdb::make_uniq<ScanBindData>(*this);
}

bool ScanBindData::Equals(const duckdb::FunctionData& other) const {
  return IsSerializedAlike(*this, other);
}

void DescribeScan(ClientContext& context, const duckdb::LogicalGet& get) {
  ScanBindData& bind = get.bind_data->Cast<ScanBindData>();
  const TableImpl& table = *bind.table->table();
  ScanRequest request;
  std::vector<Predicate> conjuncts{bind.filter};
  for (const auto& [id, filter] : get.table_filters.filters) {
    AddPlannedFilter(*filter, StoredColumn(table.definition(), id).value_or(id), *bind.table, &conjuncts, &request);
  }
  request.predicate = Predicate::And(std::move(conjuncts));
  for (const duckdb::ColumnIndex& column : get.GetColumnIds()) {
    if (const auto stored = StoredColumn(table.definition(), column))
      request.columns.push_back(static_cast<int>(*stored));
  }
  SqlTransaction& transaction = SqlTransaction::Of(context, bind.table->catalog);
  auto plan = Check(MakeScanPlan(table.MakeSource(transaction.StatementView()), request));
  plan = Check(UseIndex(table, std::move(plan), transaction.impl().snapshot(), IndexUseOf(bind, Predicate::True())));
  bind.index = plan->index_text;
  bind.key_ranges = plan->RangesText();
  bind.row_filter = plan->FilterText();
}

bool TakesFilter(const ScanBindData& bind, duckdb::column_t column, const duckdb::TableFilter& filter) {
  const TableDefinition& table = bind.table->table()->definition();
  const auto stored = StoredColumn(table, column);
  if (!stored) return false;
  return IsTakenFilter(filter, table.columns[*stored].type);
}

bool HasSegments(const ScanBindData& bind) {
  const auto& cold = bind.table->table()->cold();
  return cold && (bind.new_rows > 0 || cold->MayHaveSegments());
}

duckdb::TableFunction ScanFunction() {
  duckdb::TableFunction function("yarrow_scan", {}, Scan, nullptr, InitGlobal, InitLocal);
  function.projection_pushdown = true;
  function.filter_pushdown = true;
  function.filter_prune = true;
  function.get_partition_data = PartitionData;
  function.table_scan_progress = Progress;
  function.cardinality = Cardinality;
  function.statistics = Statistics;
  function.get_bind_info = GetBindInfo;
  function.get_virtual_columns = VirtualColumns;
  function.pushdown_complex_filter = TakeConditions;
  function.to_string = ToText;
  function.dynamic_to_string = ToTextAfterwards;
  MakeSerializable(&function);
  return function;
}

}  // namespace yarrow::sql
