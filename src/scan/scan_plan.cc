#include "scan/scan_plan.h"

#include <arrow/type.h>

#include <algorithm>
#include <set>
#include <utility>

#include "batch/array_form.h"
#include "batch/batch_builder.h"
#include "predicate/arrow_filter.h"
#include "tier/cold_table.h"
#include "type/type_traits.h"
#include "yarrow/codec.h"

namespace yarrow {

bool ScanSource::MayHaveSegments() const {
  return kind == SourceKind::kHot && cold != nullptr && cold->MayHaveSegments(overlay);
}
namespace {

using arrow::Status;

Status CheckOptions(const ScanSource& source, const ScanOptions& options) {
  const std::string& table = source.row_schema->table_name();
  if (options.batch_size < 1)
    return Status::Invalid("Scan of ", table, ": batch_size is ", options.batch_size, "; give 1 or more");
  if (options.limit && *options.limit < 0)
    return Status::Invalid("Scan of ", table, ": limit is ", *options.limit, "; give 0 or more");
  if (options.threads < 0 || options.threads > kMostScanThreads) {
    return Status::Invalid("Scan of ", table, ": threads is ", options.threads, "; give 0 to ", kMostScanThreads);
  }
  return Status::OK();
}

size_t VisibleColumns(const ScanSource& source) {
  return source.projections->visible()->columns().size();
}

// Position of a visible column.
arrow::Result<int> FindVisible(const ScanSource& source, const std::string& name) {
  const int column = source.row_schema->FindColumn(name);
  if (column >= 0 && static_cast<size_t>(column) < VisibleColumns(source)) return column;
  std::string known;
  for (const auto& field : source.projections->visible()->schema()->fields())
    known += (known.empty() ? "" : ", ") + field->name();
  return Status::KeyError("Table ", source.row_schema->table_name(), " has no column '", name,
                          "'; its columns are: ", known);
}

Status PlanProjection(const ScanOptions& options, ScanPlan* plan) {
  const ScanSource& source = plan->source;
  if (!options.columns) {
    plan->output = source.projections->visible();
    return Status::OK();
  }
  std::vector<int> columns;
  for (const std::string& name : *options.columns) {
    ARROW_ASSIGN_OR_RAISE(const int column, FindVisible(source, name));
    columns.push_back(column);
  }
  plan->output = source.projections->Get(columns);
  return Status::OK();
}

// Where some columns of the output have another type for programs than in batches.
Status PlanUserTypes(const ScanOptions& options, ScanPlan* plan) {
  if (plan->source.user_schema == nullptr) return Status::OK();
  arrow::FieldVector fields;
  for (const int column : plan->output->columns()) {
    plan->user_types.push_back(plan->source.row_schema->columns()[static_cast<size_t>(column)].type);
    fields.push_back(plan->source.user_schema->field(column));
  }
  plan->user_schema = options.columns ? arrow::schema(std::move(fields)) : plan->source.user_schema;
  return Status::OK();
}

// A filter sees the columns that a projection sees, and no hidden one.
Status CheckFilterColumns(const ScanSource& source, const arrow::compute::Expression& filter) {
  for (const arrow::FieldRef& ref : arrow::compute::FieldsInExpression(filter)) {
    if (ref.IsName()) ARROW_RETURN_NOT_OK(FindVisible(source, *ref.name()).status());
    const arrow::FieldPath* path = ref.field_path();
    if (path != nullptr && (path->indices().size() != 1 || path->indices()[0] < 0 ||
                            static_cast<size_t>(path->indices()[0]) >= VisibleColumns(source))) {
      return FindVisible(source, ref.ToString()).status();
    }
  }
  return Status::OK();
}

// Decodes the columns that only the residual reads behind those of the result.
void PlanResidual(const std::vector<int>& columns, ScanPlan* plan) {
  std::vector<int> decoded = plan->output->columns();
  for (int column : columns) {
    const auto at = std::find(decoded.begin(), decoded.end(), column);
    plan->residual_inputs.push_back(static_cast<int>(at - decoded.begin()));
    if (at == decoded.end()) decoded.push_back(column);
  }
  plan->decoded = plan->source.projections->Get(decoded);
  plan->residual_schema = ProjectedSchema(*plan->source.row_schema, columns);
}

void AddColumns(const Predicate& predicate, std::set<int>* columns) {
  switch (predicate.kind()) {
    case Predicate::Kind::kTrue:
    case Predicate::Kind::kFalse:
      return;
    case Predicate::Kind::kAnd:
    case Predicate::Kind::kOr:
    case Predicate::Kind::kNot:
      for (const Predicate& child : predicate.children()) AddColumns(child, columns);
      return;
    default:
      columns->insert(predicate.column());
  }
}

void PlanReadColumns(const std::vector<int>& tested_later, ScanPlan* plan) {
  const std::vector<int>& decoded = plan->decoded->columns();
  const std::vector<int>& key = plan->source.row_schema->key_columns();
  std::set<int> columns(decoded.begin(), decoded.end());
  columns.insert(key.begin(), key.end());
  columns.insert(tested_later.begin(), tested_later.end());
  AddColumns(plan->tested, &columns);
  plan->read_columns.assign(columns.begin(), columns.end());
}

Status PlanPredicate(const Predicate& predicate, ScanPlan* plan) {
  const ScanSource& source = plan->source;
  ARROW_ASSIGN_OR_RAISE(KeySplit split, SplitOnKey(predicate, *source.row_schema, source.key_prefix));
  plan->ranges = std::move(split.ranges);
  if (split.rest.kind() == Predicate::Kind::kTrue) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(plan->predicate, RowPredicate::Compile(split.rest, source.row_schema));
  plan->tested = std::move(split.rest);
  return Status::OK();
}

std::vector<int> ColumnsOf(const arrow::compute::Expression& filter, const RowSchema& schema) {
  std::set<int> columns;
  for (const arrow::FieldRef& ref : arrow::compute::FieldsInExpression(filter)) {
    const arrow::FieldPath* path = ref.field_path();
    columns.insert(path != nullptr ? path->indices()[0] : schema.FindColumn(*ref.name()));
  }
  return {columns.begin(), columns.end()};
}

bool HasOtherType(const std::vector<int>& columns, const RowSchema& schema) {
  return std::ranges::any_of(columns, [&](int column) {
    const ColumnType& type = schema.columns()[static_cast<size_t>(column)].type;
    return !IsBatchTypeArrow(type) || type.id == TypeId::kUuid;
  });
}

Status PlanFilter(const ScanOptions& options, ScanPlan* plan) {
  const ScanSource& source = plan->source;
  if (!options.filter.is_valid()) {
    plan->ranges.push_back({source.key_prefix, PrefixSuccessor(source.key_prefix)});
    return Status::OK();
  }
  ARROW_RETURN_NOT_OK(CheckFilterColumns(source, options.filter));
  ARROW_ASSIGN_OR_RAISE(ArrowFilter filter, TranslateArrowFilter(options.filter, *source.row_schema));
  ARROW_RETURN_NOT_OK(PlanPredicate(filter.pushed, plan));
  plan->has_residual = filter.has_residual;
  plan->residual = std::move(filter.residual);
  const std::vector<int> columns = ColumnsOf(options.filter, *source.row_schema);
  // Arrow cannot compare those; the predicate on rows can.
  if (HasOtherType(columns, *source.row_schema)) plan->cold_batches = false;
  if (plan->cold_batches) {
    ARROW_ASSIGN_OR_RAISE(plan->filter, options.filter.Bind(*source.row_schema->arrow_schema()));
    PlanResidual(columns, plan);
  } else if (plan->has_residual) {
    PlanResidual(filter.residual_columns, plan);
  }
  return Status::OK();
}

// A bound as the values it begins with; `open` when it is an end of the table. Behind values that end inside of a part
// (the least key above them) stands a +.
std::string BoundText(const std::string& bound, std::string_view prefix, const std::vector<KeyPart>& parts,
                      const char* open) {
  if (bound.size() <= prefix.size() || !bound.starts_with(prefix)) return open;
  std::string_view rest = std::string_view(bound).substr(prefix.size());
  std::string text;
  for (const KeyPart& part : parts) {
    std::string_view left = rest;
    const arrow::Result<Value> value = DecodeKeyPart(&left, part);
    if (!value.ok()) break;
    text += (text.empty() ? "(" : ", ") + value->ToString(part.type);
    rest = left;
    if (rest.empty()) return text + ")";
  }
  return text.empty() ? FormatKey(rest) : text + ")+";
}

std::string RangeText(const KeyRange& range, std::string_view prefix, const std::vector<KeyPart>& parts) {
  const std::string lower = BoundText(range.lower, prefix, parts, "first");
  const std::string upper = BoundText(range.upper, prefix, parts, "last");
  return upper == lower + "+" ? lower : "[" + lower + ", " + upper + ")";
}

}  // namespace

arrow::Result<std::shared_ptr<const ScanPlan>> MakeScanPlan(ScanSource source, const ScanOptions& options) {
  ARROW_RETURN_NOT_OK(CheckOptions(source, options));
  auto plan = std::make_shared<ScanPlan>();
  plan->source = std::move(source);
  plan->reverse = options.reverse;
  plan->limit = options.limit.value_or(ScanPlan::kNoLimit);
  plan->batch_size = options.batch_size;
  plan->threads = options.threads;
  plan->ordered = options.ordered;
  plan->pool = options.memory_pool;
  ARROW_RETURN_NOT_OK(PlanProjection(options, plan.get()));
  ARROW_RETURN_NOT_OK(PlanUserTypes(options, plan.get()));
  plan->decoded = plan->output;
  plan->cold_batches = plan->source.MayHaveSegments();
  ARROW_RETURN_NOT_OK(PlanFilter(options, plan.get()));
  if (plan->source.cold) PlanReadColumns({}, plan.get());
  return plan;
}

arrow::Result<std::shared_ptr<const ScanPlan>> MakeScanPlan(ScanSource source, const ScanRequest& request) {
  auto plan = std::make_shared<ScanPlan>();
  plan->source = std::move(source);
  plan->reverse = request.reverse;
  plan->limit = request.limit.value_or(ScanPlan::kNoLimit);
  plan->threads = request.threads;
  plan->fill_cache = request.fill_cache;
  plan->output = plan->decoded = plan->source.projections->Get(request.columns);
  ARROW_RETURN_NOT_OK(PlanPredicate(request.predicate, plan.get()));
  if (request.keys) plan->ranges = Intersect(plan->ranges, *request.keys);
  plan->cold_batches = plan->source.MayHaveSegments();
  if (plan->source.cold) PlanReadColumns(request.tested_later, plan.get());
  return plan;
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ScanPlan::ToUser(std::shared_ptr<arrow::RecordBatch> batch) const {
  if (user_schema == nullptr || batch == nullptr) return batch;
  auto converted = batch::ToUserBatch(*batch, user_schema, user_types);
  if (converted.ok()) return converted;
  return converted.status().WithMessage("Scan of ", source.row_schema->table_name(), ", ",
                                        converted.status().message());
}

std::string DescribeRanges(const std::vector<KeyRange>& ranges, std::string_view prefix,
                           const std::vector<KeyPart>& parts) {
  std::string text = std::to_string(ranges.size()) + (ranges.empty() ? "" : ":");
  for (size_t i = 0; i < std::min<size_t>(ranges.size(), 3); ++i) text += " " + RangeText(ranges[i], prefix, parts);
  return ranges.size() > 3 ? text + " ..." : text;
}

std::string ScanPlan::RangesText() const {
  return DescribeRanges(ranges, source.key_prefix, source.row_schema->key_codec().parts());
}

std::string ScanPlan::FilterText() const {
  std::vector<std::string> names;
  for (const RowColumn& column : source.row_schema->columns()) names.push_back(column.name);
  return predicate ? tested.ToString(names) : "none";
}

std::string ScanPlan::Explain() const {
  std::string out = "scan " + source.row_schema->table_name() + (reverse ? " in descending key order" : "") + "\n";
  out += "  key ranges: " + RangesText();
  if (!index_text.empty()) out += "\n  index: " + index_text;
  out += "\n  filter on encoded rows: " + FilterText();
  out += "\n  filter on batches: " + (has_residual ? residual.ToString() : "none");
  out += "\n  columns:";
  for (const auto& field : decoded->schema()->fields()) out += " " + field->name();
  out += "\n  limit: " + (limit == kNoLimit ? "none" : std::to_string(limit));
  out +=
      "\n  threads: " + std::to_string(threads) + (threads > 1 ? (ordered ? ", in key order" : ", in any order") : "");
  return out + "\n";
}

}  // namespace yarrow
