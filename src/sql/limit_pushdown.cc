#include "sql/limit_pushdown.h"

#include "sql/sql_scan.h"

namespace yarrow::sql {
namespace {

using duckdb::LogicalOperator;
using duckdb::LogicalOperatorType;

// The scan whose rows are those of `op`, one for one.
duckdb::LogicalGet* ScanBelow(LogicalOperator& op) {
  LogicalOperator* below = &op;
  while (below->type == LogicalOperatorType::LOGICAL_PROJECTION) below = below->children[0].get();
  if (below->type != LogicalOperatorType::LOGICAL_GET) return nullptr;
  auto& get = below->Cast<duckdb::LogicalGet>();
  return get.function.name == "yarrow_scan" ? &get : nullptr;
}

bool IsConstant(const duckdb::BoundLimitNode& node) {
  return node.Type() == duckdb::LimitNodeType::CONSTANT_VALUE;
}

void PushLimits(LogicalOperator& op) {
  if (op.type == LogicalOperatorType::LOGICAL_LIMIT) {
    auto& limit = op.Cast<duckdb::LogicalLimit>();
    const bool has_offset = limit.offset_val.Type() != duckdb::LimitNodeType::UNSET;
    duckdb::LogicalGet* get = ScanBelow(*op.children[0]);
    if (get != nullptr && IsConstant(limit.limit_val) && (!has_offset || IsConstant(limit.offset_val))) {
      const duckdb::idx_t offset = has_offset ? limit.offset_val.GetConstantValue() : 0;
      const duckdb::idx_t rows = limit.limit_val.GetConstantValue();
      constexpr auto kMost = static_cast<duckdb::idx_t>(INT64_MAX);
      if (rows <= kMost && offset <= kMost - rows) {
        get->bind_data->Cast<ScanBindData>().limit = static_cast<int64_t>(rows + offset);
      }
    }
  }
  for (auto& child : op.children) PushLimits(*child);
}

void Optimize(duckdb::OptimizerExtensionInput&, duckdb::unique_ptr<LogicalOperator>& plan) {
  PushLimits(*plan);
}

}  // namespace

void RegisterLimitPushdown(duckdb::DBConfig& config) {
  duckdb::OptimizerExtension extension;
  extension.optimize_function = Optimize;
  duckdb::OptimizerExtension::Register(config, std::move(extension));
}

}  // namespace yarrow::sql
