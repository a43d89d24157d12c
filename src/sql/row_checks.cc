#include "sql/row_checks.h"

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/constraints/bound_check_constraint.hpp>
#include <duckdb/planner/expression_binder/check_binder.hpp>

#include <utility>

namespace yarrow::sql {
namespace {

// A long value says no more than its beginning.
std::string Shown(const duckdb::Value& value) {
  constexpr size_t kLongest = 60;
  const std::string text = value.ToSQLString();
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

}  // namespace

RowChecks::RowChecks(duckdb::ClientContext& context, duckdb::TableCatalogEntry& table,
                     duckdb::vector<duckdb::unique_ptr<duckdb::BoundConstraint>>& constraints)
    : table_(table.name) {
  const auto& declared = table.GetConstraints();
  for (size_t i = 0; i < constraints.size(); ++i) {
    if (constraints[i]->type != duckdb::ConstraintType::CHECK) continue;
    checks_.push_back(
        {declared[i]->ToString(), std::move(constraints[i]->Cast<duckdb::BoundCheckConstraint>().expression)});
  }
  for (const auto& column : table.GetColumns().Logical()) {
    if (!column.Generated()) continue;
    const auto binder = duckdb::Binder::CreateBinder(context);
    duckdb::physical_index_set_t made_from;
    duckdb::CheckBinder generated(*binder, context, table.name, table.GetColumns(), made_from);
    generated.target_type = column.Type();
    auto expression = column.GeneratedExpression().Copy();
    checks_.push_back({column.Name() + " " + column.Type().ToString() + " AS (" + expression->ToString() + ")",
                       generated.Bind(expression), /*is_generated=*/true});
  }
  if (checks_.empty()) return;
  for (const auto& column : table.GetColumns().Physical()) columns_.push_back(column.Name());
}

void RowChecks::Test(duckdb::ClientContext& context, duckdb::DataChunk& rows) const {
  for (const RowCheck& check : checks_) TestOne(context, check, rows);
}

void RowChecks::TestOne(duckdb::ClientContext& context, const RowCheck& check, duckdb::DataChunk& rows) const {
  duckdb::ExpressionExecutor executor(context, *check.value);
  duckdb::Vector outcome(check.value->return_type);
  try {
    executor.ExecuteExpression(rows, outcome);
  } catch (const std::exception& exception) {
    const duckdb::ErrorData error(exception);
    if (error.Type() == duckdb::ExceptionType::INTERNAL || error.Type() == duckdb::ExceptionType::INTERRUPT) throw;
    if (check.is_generated) {
      throw duckdb::ConstraintException("Incorrect value for generated column \"%s\" of table %s: %s", check.text,
                                        table_, error.RawMessage());
    }
    throw duckdb::ConstraintException("CHECK constraint failed on table %s with expression %s (Error: %s)", table_,
                                      check.text, error.RawMessage());
  }
  if (check.is_generated) return;
  duckdb::UnifiedVectorFormat outcomes;
  outcome.ToUnifiedFormat(rows.size(), outcomes);
  const auto* values = duckdb::UnifiedVectorFormat::GetData<int32_t>(outcomes);
  for (duckdb::idx_t row = 0; row < rows.size(); ++row) {
    const duckdb::idx_t at = outcomes.sel->get_index(row);
    if (!outcomes.validity.RowIsValid(at) || values[at] != 0) continue;
    std::string shown;
    for (size_t c = 0; c < columns_.size(); ++c) {
      shown += (c == 0 ? "" : ", ") + columns_[c] + " = " + Shown(rows.GetValue(c, row));
    }
    throw duckdb::ConstraintException("CHECK constraint failed on table %s with expression %s, by the row %s", table_,
                                      check.text, shown);
  }
}

}  // namespace yarrow::sql
