#include "sql/point_plan.h"

#include <duckdb/common/serializer/deserializer.hpp>
#include <duckdb/common/serializer/serializer.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression/bound_cast_expression.hpp>
#include <duckdb/planner/operator/logical_extension_operator.hpp>
#include <duckdb/planner/operator/logical_filter.hpp>
#include <duckdb/planner/operator_extension.hpp>
#include <duckdb/planner/planner_extension.hpp>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sql/sql_scan.h"
#include "sql/sql_type.h"
#include "sql/stored_columns.h"
#include "type/type_traits.h"

namespace yarrow::sql {
namespace {

using duckdb::Expression;
using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

// A scan of ours of which optimizers see the columns and nothing else. The filters above it stay there.
class PointScan : public duckdb::LogicalExtensionOperator {
 public:
  static constexpr const char* kExtension = "yarrow";

  explicit PointScan(duckdb::unique_ptr<LogicalOperator> get) : get_(std::move(get)) {
    estimated_cardinality = get_->estimated_cardinality = 1;
    has_estimated_cardinality = get_->has_estimated_cardinality = true;
  }

  duckdb::PhysicalOperator& CreatePlan(duckdb::ClientContext&, duckdb::PhysicalPlanGenerator& planner) override {
    return planner.CreatePlan(*get_);
  }
  duckdb::vector<duckdb::ColumnBinding> GetColumnBindings() override { return get_->GetColumnBindings(); }
  duckdb::vector<duckdb::idx_t> GetTableIndex() const override { return get_->GetTableIndex(); }
  duckdb::idx_t EstimateCardinality(duckdb::ClientContext&) override { return 1; }
  duckdb::string GetName() const override { return "YARROW_POINT_SCAN"; }
  duckdb::string GetExtensionName() const override { return kExtension; }
  void Serialize(duckdb::Serializer& out) const override {
    LogicalExtensionOperator::Serialize(out);
    out.WriteProperty(kScanField, "scan", get_);
  }
  static duckdb::unique_ptr<LogicalExtensionOperator> Deserialize(duckdb::Deserializer& in) {
    return duckdb::make_uniq<PointScan>(in.ReadProperty<duckdb::unique_ptr<LogicalOperator>>(kScanField, "scan"));
  }

 protected:
  void ResolveTypes() override {
    get_->ResolveOperatorTypes();
    types = get_->types;
  }

 private:
  static constexpr duckdb::field_id_t kScanField = 201;  // behind those of LogicalExtensionOperator

  const duckdb::unique_ptr<LogicalOperator> get_;
};

// How DuckDB reads operators of ours in a plan.
class PointScanReader : public duckdb::OperatorExtension {
 public:
  PointScanReader() {
    Bind = [](duckdb::ClientContext&, duckdb::Binder&, duckdb::OperatorExtensionInfo*, duckdb::SQLStatement&) {
      return duckdb::BoundStatement();  // there are no statements of our own
    };
  }
  std::string GetName() override { return PointScan::kExtension; }
  duckdb::unique_ptr<duckdb::LogicalExtensionOperator> Deserialize(duckdb::Deserializer& in) override {
    return PointScan::Deserialize(in);
  }
};

// Where in the plan the only scan is, if nothing above it wants to know more of it than its rows; null otherwise.
duckdb::unique_ptr<LogicalOperator>* OnlyScan(duckdb::unique_ptr<LogicalOperator>& plan,
                                              std::vector<const Expression*>* conditions) {
  duckdb::unique_ptr<LogicalOperator>* at = &plan;
  for (;;) {
    switch ((*at)->type) {
      case LogicalOperatorType::LOGICAL_GET:
        return (*at)->Cast<duckdb::LogicalGet>().function.name == "yarrow_scan" ? at : nullptr;
      case LogicalOperatorType::LOGICAL_FILTER:
        for (const auto& condition : (*at)->expressions) conditions->push_back(condition.get());
        break;
      case LogicalOperatorType::LOGICAL_PROJECTION:
      case LogicalOperatorType::LOGICAL_UPDATE:
      case LogicalOperatorType::LOGICAL_DELETE:
      case LogicalOperatorType::LOGICAL_LIMIT:
        break;
      default:
        return nullptr;
    }
    if ((*at)->children.size() != 1) return nullptr;
    at = &(*at)->children[0];
  }
}

bool IsSameForAllRows(const Expression& expression) {
  const duckdb::ExpressionClass kind = expression.GetExpressionClass();
  if (kind == duckdb::ExpressionClass::BOUND_CAST) {
    return IsSameForAllRows(*expression.Cast<duckdb::BoundCastExpression>().child);
  }
  return kind == duckdb::ExpressionClass::BOUND_PARAMETER || kind == duckdb::ExpressionClass::BOUND_CONSTANT;
}

// Takes `column = value`, in a conjunction too.
void TakeEqualities(const Expression& condition, const duckdb::LogicalGet& get, const TableDefinition& table,
                    std::vector<ColumnExpression>* values) {
  if (condition.GetExpressionType() == duckdb::ExpressionType::CONJUNCTION_AND) {
    for (const auto& child : condition.Cast<duckdb::BoundConjunctionExpression>().children) {
      TakeEqualities(*child, get, table, values);
    }
    return;
  }
  if (condition.GetExpressionType() != duckdb::ExpressionType::COMPARE_EQUAL) return;
  const auto& equality = condition.Cast<duckdb::BoundComparisonExpression>();
  const bool is_flipped = IsSameForAllRows(*equality.left);
  const Expression& left = is_flipped ? *equality.right : *equality.left;
  const Expression& right = is_flipped ? *equality.left : *equality.right;
  if (left.GetExpressionType() != duckdb::ExpressionType::BOUND_COLUMN_REF || !IsSameForAllRows(right)) return;
  const duckdb::ColumnBinding binding = left.Cast<duckdb::BoundColumnRefExpression>().binding;
  if (binding.table_index != get.table_index) return;
  const auto column = StoredColumn(table, get.GetColumnIds()[binding.column_index]);
  if (!column) return;
  const ColumnType& type = table.columns[*column].type;
  if (!IsSameUnit(type) || !HasOrder(type) || right.return_type != ToLogicalType(type)) return;
  values->push_back({static_cast<int>(*column), std::shared_ptr<const Expression>(right.Copy())});
}

bool HasAll(const std::vector<ColumnExpression>& values, const TableDefinition& table,
            const std::vector<uint32_t>& ids) {
  return !ids.empty() && std::ranges::all_of(ids, [&](uint32_t id) {
    return std::ranges::any_of(values, [&](const ColumnExpression& value) {
      return table.columns[static_cast<size_t>(value.column)].id == id;
    });
  });
}

// Whether no two rows can have the values: they are a whole key, or all values of a unique index.
bool NameOneRow(const std::vector<ColumnExpression>& values, const TableDefinition& table) {
  return HasAll(values, table, table.primary_key) ||
         std::ranges::any_of(table.indexes, [&](const IndexDefinition& index) {
           return index.unique && !index.is_building && HasAll(values, table, index.columns);
         });
}

struct Shape {
  bool scans_ours = false;
  bool joins = false;  // or anything else of two inputs
};
void AddShape(const LogicalOperator& op, Shape* shape) {
  shape->joins |= op.children.size() > 1;
  shape->scans_ours |=
      op.type == LogicalOperatorType::LOGICAL_GET && op.Cast<duckdb::LogicalGet>().function.name == "yarrow_scan";
  for (const auto& child : op.children) AddShape(*child, shape);
}

// What the build side of a join finds out is a filter of scans on the other side, and stays in the plan. When a kept
// plan runs again, a scan below an aggregate may begin before the join has cleared it, and would miss rows.
void ReplanJoins(duckdb::Binder& binder, const LogicalOperator& plan) {
  Shape shape;
  AddShape(plan, &shape);
  if (shape.scans_ours && shape.joins) binder.SetAlwaysRequireRebind();
}

// Without parameters a plan is kept anyway, and is a better one for knowing the values.
void ChooseWhatIsKept(duckdb::PlannerExtensionInput& input, duckdb::BoundStatement& statement) {
  if (!statement.plan) return;
  ReplanJoins(input.binder, *statement.plan);
  std::vector<const Expression*> conditions;
  duckdb::unique_ptr<LogicalOperator>* const at = OnlyScan(statement.plan, &conditions);
  if (at == nullptr || std::ranges::none_of(conditions, [](const Expression* c) { return c->HasParameter(); })) return;
  auto& get = (*at)->Cast<duckdb::LogicalGet>();
  auto& bind = get.bind_data->Cast<ScanBindData>();
  const TableDefinition& table = bind.table->table()->definition();
  std::vector<ColumnExpression> values;
  for (const Expression* condition : conditions) TakeEqualities(*condition, get, table, &values);
  if (!NameOneRow(values, table)) return;
  bind.key_values = std::move(values);
  *at = duckdb::make_uniq<PointScan>(std::move(*at));
}

}  // namespace

void RegisterPointPlans(duckdb::DBConfig& config) {
  duckdb::PlannerExtension extension;
  extension.post_bind_function = ChooseWhatIsKept;
  duckdb::PlannerExtension::Register(config, std::move(extension));
  duckdb::OperatorExtension::Register(config, duckdb::make_shared_ptr<PointScanReader>());
}

}  // namespace yarrow::sql
