#include "sql/cold_scan.h"

#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/common/multi_file/multi_file_states.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#include "cold/segment_schema.h"
#include "sql/condition_translation.h"
#include "sql/function_fence.h"
#include "sql/segment_file_system.h"
#include "sql/sql_error.h"
#include "sql/sql_type.h"
#include "type/type_traits.h"

namespace yarrow::sql {
namespace {

using Pieces = std::vector<ColdPiece>;

// The segments of a scan, in its order. Outlived by the vector.
class SegmentList : public duckdb::MultiFileList {
 public:
  explicit SegmentList(const Pieces& pieces) : pieces_(pieces) {}

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override {
    duckdb::vector<duckdb::OpenFileInfo> files;
    for (const ColdPiece& piece : pieces_) files.push_back(SegmentFile(*piece.segment));
    return files;
  }
  // Also of one: its row groups are for several threads too.
  duckdb::FileExpandResult GetExpandResult() const override { return duckdb::FileExpandResult::MULTIPLE_FILES; }
  duckdb::idx_t GetTotalFileCount() const override { return pieces_.size(); }
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override { return duckdb::make_uniq<SegmentList>(pieces_); }

 protected:
  duckdb::OpenFileInfo GetFile(duckdb::idx_t i) const override {
    return i < pieces_.size() ? SegmentFile(*pieces_[i].segment) : duckdb::OpenFileInfo();
  }

 private:
  const Pieces& pieces_;
};

class DroppedRows : public duckdb::DeleteFilter {
 public:
  explicit DroppedRows(const cold::DeletionVector& dropped) : dropped_(dropped) {}

  duckdb::idx_t Filter(duckdb::row_t first, duckdb::idx_t count, duckdb::SelectionVector& kept) override {
    const auto begin = static_cast<uint64_t>(first);
    if (dropped_.CountIn(begin, begin + count) == 0) return count;
    kept.Initialize(STANDARD_VECTOR_SIZE);
    duckdb::sel_t* end = kept.data();
    dropped_.VisitKept(begin, begin + count, [&](uint64_t from, uint64_t to) {
      duckdb::sel_t* const next = end + (to - from);
      std::iota(end, next, static_cast<duckdb::sel_t>(from - begin));
      end = next;
    });
    return static_cast<duckdb::idx_t>(end - kept.data());
  }

 private:
  const cold::DeletionVector& dropped_;
};

// Parts of nested types by their field ids, numbered as in SegmentArrowSchema.
class PartColumns {
 public:
  explicit PartColumns(uint32_t column_id) : column_id_(column_id) {}

  void AddTo(const ColumnType& type, duckdb::MultiFileColumnDefinition* column) {
    for (const TypeMember& member : type.members()) {
      const auto id = cold::PartFieldId(column_id_, ++number_);
      auto& part = column->children.emplace_back(NameOf(type, member), ToLogicalType(member.type));
      if (id) part.identifier = duckdb::Value::INTEGER(*id);
      part.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(part.type));
      AddTo(member.type, &part);
    }
  }

 private:
  static std::string NameOf(const ColumnType& type, const TypeMember& member) {
    return type.id == TypeId::kList ? "element" : member.name;
  }

  const uint32_t column_id_;
  int number_ = 0;
};

// What the reader is made from; parquet_scan hands it on as its function's info.
struct SegmentSource : public duckdb::TableFunctionInfo {
  SegmentSource(const Pieces& cold, const RowSchema& table, size_t visible) : pieces(cold) {
    for (size_t i = 0; i < visible; ++i) {
      const RowColumn& column = table.columns()[i];
      auto& defined = columns.emplace_back(column.name, ToLogicalType(column.type));
      defined.identifier = duckdb::Value::INTEGER(static_cast<int32_t>(column.id));
      if (IsReadByParquetScan(column.type)) PartColumns(column.id).AddTo(column.type, &defined);
      defined.default_expression =
          duckdb::make_uniq<duckdb::ConstantExpression>(ToDuckDb(column.older_value(), column.type));
    }
  }
  const Pieces& pieces;
  duckdb::vector<duckdb::MultiFileColumnDefinition> columns;
};

class SegmentReader : public duckdb::MultiFileReader {
 public:
  explicit SegmentReader(duckdb::shared_ptr<duckdb::TableFunctionInfo> info) : info_(std::move(info)) {
    function_name = "yarrow_scan";
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&,
                                                           const duckdb::vector<duckdb::string>&,
                                                           const duckdb::FileGlobInput&) override {
    return duckdb::make_shared_ptr<SegmentList>(source().pieces);
  }
  bool Bind(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<duckdb::LogicalType>& types,
            duckdb::vector<duckdb::string>& names, duckdb::MultiFileReaderBindData& bind) override {
    for (const auto& column : source().columns) {
      types.push_back(column.type);
      names.push_back(column.name);
    }
    bind.schema = source().columns;
    bind.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    return true;
  }
  void BindOptions(duckdb::MultiFileOptions&, duckdb::MultiFileList&, duckdb::vector<duckdb::LogicalType>&,
                   duckdb::vector<duckdb::string>&, duckdb::MultiFileReaderBindData&) override {}
  duckdb::ReaderInitializeType InitializeReader(duckdb::MultiFileReaderData& reader,
                                                const duckdb::MultiFileBindData& bind,
                                                const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
                                                const duckdb::vector<duckdb::ColumnIndex>& column_ids,
                                                duckdb::optional_ptr<duckdb::TableFilterSet> filters,
                                                duckdb::ClientContext& context,
                                                duckdb::MultiFileGlobalState& state) override {
    const auto& dropped = source().pieces[reader.reader->file_list_idx.GetIndex()].dropped;
    if (!dropped.empty()) reader.reader->deletion_filter = duckdb::make_uniq<DroppedRows>(dropped);
    return MultiFileReader::InitializeReader(reader, bind, columns, column_ids, filters, context, state);
  }
  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override { return duckdb::make_uniq<SegmentReader>(info_); }

 private:
  const SegmentSource& source() const { return info_->Cast<SegmentSource>(); }
  const duckdb::shared_ptr<duckdb::TableFunctionInfo> info_;
};

duckdb::TableFunction ParquetScan(duckdb::ClientContext& context) {
  duckdb::TableFunction function = OriginalFunction(*context.db, "parquet_scan");
  function.get_multi_file_reader = [](const duckdb::TableFunction& self) {
    return duckdb::unique_ptr<duckdb::MultiFileReader>(duckdb::make_uniq<SegmentReader>(self.function_info));
  };
  return function;
}

bool HasReals(const ColumnType& type) {
  if (!type.is_nested()) return IsReal(type);
  return std::ranges::any_of(type.members(), [](const TypeMember& member) { return HasReals(member.type); });
}

// Parquet's statistics leave NaNs out, which DuckDB must know: they are greater than the greatest value.
// Nobody has looked for those in nested values, where only filters on fields of structs ask for statistics.
bool MayHaveNan(const ColdPieces& cold, const duckdb::TableFilterSet& filters) {
  const bool of_fields =
      std::ranges::any_of(filters.filters, [](const auto& filter) { return IsOfFields(*filter.second); });
  return std::ranges::any_of(cold.pieces, [&](const ColdPiece& piece) {
    return std::ranges::any_of(piece.segment->info().columns, [&](const auto& column) {
      return column.has_nan || (of_fields && column.type.is_nested() && HasReals(column.type));
    });
  });
}

duckdb::unique_ptr<duckdb::FunctionData> BindSegments(duckdb::ClientContext& context, duckdb::TableFunction& function,
                                                      bool may_have_nan) {
  duckdb::vector<duckdb::Value> inputs{duckdb::Value("")};
  duckdb::named_parameter_map_t options;
  options["can_have_nan"] = duckdb::Value::BOOLEAN(may_have_nan);
  duckdb::vector<duckdb::LogicalType> input_types, types;
  duckdb::vector<duckdb::string> input_names, names;
  const duckdb::TableFunctionRef ref;
  duckdb::TableFunctionBindInput input(inputs, options, input_types, input_names, function.function_info.get(), nullptr,
                                       function, ref);
  auto bind_data = function.bind(context, input, types, names);
  function.get_virtual_columns(context, bind_data.get());  // the reader must have seen them
  return bind_data;
}

}  // namespace

bool LiesAsItself(const ColumnType& type) {
  return IsBatchTypeArrow(type) || IsText(type) || type.is_nested();
}

bool IsReadByParquetScan(const ColumnType& type) {
  switch (type.id) {
    case TypeId::kInterval:  // not all of which DuckDB reads from text
    case TypeId::kGeometry:
    case TypeId::kArray:
    case TypeId::kUnion:
    case TypeId::kVariant:
      return false;
    case TypeId::kList:
    case TypeId::kStruct:
    case TypeId::kMap:
      return std::ranges::all_of(type.members(), [](const TypeMember& member) {
        return LiesAsItself(member.type) && IsReadByParquetScan(member.type);
      });
    default:
      break;
  }
  const bool has_unit = KindOf(type) == TypeKind::kTimestamp || KindOf(type) == TypeKind::kTime;
  return !has_unit || type.unit == TimeUnit::kMicro;
}

// A projection of all columns in another order is none to parquet_scan: the columns come in the order of the scan.
void ColdScan::OrderColumns() {
  if (projection_.size() != columns_.size()) return;
  duckdb::vector<duckdb::ColumnIndex> ordered;
  auto filters = duckdb::make_uniq<duckdb::TableFilterSet>();
  for (const duckdb::idx_t from : projection_) {
    const auto filter = filters_->filters.find(from);
    if (filter != filters_->filters.end()) filters->filters[ordered.size()] = std::move(filter->second);
    ordered.push_back(columns_[from]);
  }
  columns_ = std::move(ordered);
  filters_ = std::move(filters);
  projection_.clear();
}

ColdScan::ColdScan(duckdb::ClientContext& context, const RowSchema& table, size_t visible,
                   std::shared_ptr<const ColdPieces> pieces, const duckdb::TableFunctionInitInput& scan,
                   SegmentFilters filters)
    : pieces_(std::move(pieces)),
      columns_(scan.column_indexes),
      projection_(scan.projection_ids),
      filters_(std::move(filters)),
      op_(scan.op),
      function_(ParquetScan(context)) {
  OrderColumns();
  function_.function_info = duckdb::make_shared_ptr<SegmentSource>(pieces_->pieces, table, visible);
  bind_data_ = BindSegments(context, function_, MayHaveNan(*pieces_, *filters_));
  duckdb::TableFunctionInitInput input = InitInput();
  state_ = function_.init_global(context, input);
}

ColdScan::~ColdScan() = default;

duckdb::TableFunctionInitInput ColdScan::InitInput() const {
  return duckdb::TableFunctionInitInput(bind_data_.get(), columns_, projection_, filters_.get(), nullptr, op_);
}

ColdScan::Local ColdScan::MakeLocal(duckdb::ExecutionContext& context) const {
  duckdb::TableFunctionInitInput input = InitInput();
  Local local;
  local.state = function_.init_local(context, input, state_.get());
  local.at_end = local.state == nullptr;
  return local;
}

void ColdScan::Count(duckdb::ClientContext& context, Local& local) const {
  constexpr auto kRead = duckdb::MetricType::OPERATOR_ROW_GROUPS_SCANNED;
  static const duckdb::profiler_settings_t wanted{kRead};
  duckdb::profiler_metrics_t metrics;
  function_.get_metrics(context, bind_data_.get(), *state_, *local.state, wanted, metrics);
  local.row_groups_read = metrics[kRead].GetValue<uint64_t>();
}

namespace {

bool IsListOfFloats(const duckdb::LogicalType& type) {
  if (type.id() != duckdb::LogicalTypeId::LIST) return false;
  const auto element = duckdb::ListType::GetChildType(type).id();
  return element == duckdb::LogicalTypeId::FLOAT || element == duckdb::LogicalTypeId::DOUBLE;
}

// The Parquet reader puts a NULL element behind each list that is NULL or empty. No list has this element, but DuckDB's
// distances (list_inner_product and its like) refuse a vector of lists with any. Such elements become zeros. `lists` is
// a vector that the reader has filled, of floating-point numbers: of other types zero bytes may be no value.
void ForgetElementsOfNoList(duckdb::Vector& lists, duckdb::idx_t rows) {
  duckdb::Vector& elements = duckdb::ListVector::GetEntry(lists);
  const duckdb::idx_t count = duckdb::ListVector::GetListSize(lists);
  if (elements.GetVectorType() != duckdb::VectorType::FLAT_VECTOR) return;
  duckdb::ValidityMask& known = duckdb::FlatVector::Validity(elements);
  if (known.CheckAllValid(count)) return;
  duckdb::UnifiedVectorFormat format;
  lists.ToUnifiedFormat(rows, format);
  const auto* const entries = duckdb::UnifiedVectorFormat::GetData<duckdb::list_entry_t>(format);
  std::vector<bool> in_list(count);
  for (duckdb::idx_t row = 0; row < rows; ++row) {
    const duckdb::idx_t at = format.sel->get_index(row);
    if (!format.validity.RowIsValid(at)) continue;
    const auto begin = in_list.begin() + static_cast<std::ptrdiff_t>(entries[at].offset);
    std::fill_n(begin, entries[at].length, true);
  }
  const duckdb::idx_t size = duckdb::GetTypeIdSize(elements.GetType().InternalType());
  for (duckdb::idx_t i = 0; i < count; ++i) {
    if (in_list[i] || known.RowIsValid(i)) continue;
    std::memset(duckdb::FlatVector::GetData(elements) + i * size, 0, size);
    known.SetValid(i);
  }
}

}  // namespace

// In the mode that DuckDB's own executor uses. In the other one, a reader whose last rows came with its end would end
// the scan for all threads; the Parquet reader of today gives them apart.
bool ColdScan::Next(duckdb::ClientContext& context, Local& local, duckdb::DataChunk& output) const {
  while (!local.at_end) {
    duckdb::TableFunctionInput input(bind_data_.get(), local.state.get(), state_.get());
    input.results_execution_mode = duckdb::AsyncResultsExecutionMode::TASK_EXECUTOR;
    function_.function(context, input, output);
    switch (input.async_result.GetResultType()) {
      case duckdb::AsyncResultType::BLOCKED:
        input.async_result.ExecuteTasksSynchronously();
        continue;
      case duckdb::AsyncResultType::FINISHED:
        local.at_end = true;
        break;
      default:
        break;
    }
    if (output.size() == 0 && !local.at_end) continue;
    Count(context, local);
    if (output.size() == 0) continue;
    for (duckdb::Vector& column : output.data) {
      if (IsListOfFloats(column.GetType())) ForgetElementsOfNoList(column, output.size());
    }
    return true;
  }
  return false;
}

duckdb::idx_t ColdScan::BatchIndex(duckdb::ClientContext& context, Local& local) const {
  duckdb::TableFunctionGetPartitionInput input(bind_data_.get(), local.state.get(), state_.get(),
                                               duckdb::OperatorPartitionInfo::BatchIndex());
  return function_.get_partition_data(context, input).batch_index;
}

double ColdScan::Progress(duckdb::ClientContext& context) const {
  return function_.table_scan_progress(context, bind_data_.get(), state_.get());
}

}  // namespace yarrow::sql
