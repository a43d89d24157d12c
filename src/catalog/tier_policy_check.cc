#include "catalog/tier_policy_check.h"

#include <string>

#include "catalog/table_schema.h"

namespace yarrow {
namespace {

using arrow::Status;

constexpr int64_t kMostSeconds = 1000LL * 366 * 24 * 60 * 60;  // so that a moment minus this is a moment

Status CheckAtLeast(const std::string& table, const char* option, int64_t value, int64_t least) {
  if (value >= least && value <= kMostSeconds) return Status::OK();
  return Status::Invalid("Table ", table, ": ", option, " is ", value, "; give ", least, " to ", kMostSeconds);
}

const ColumnDefinition* FindColumn(const TableDefinition& table, const std::string& name) {
  for (size_t i = 0; i < table.visible_columns(); ++i) {
    if (FoldCase(table.columns[i].name) == FoldCase(name)) return &table.columns[i];
  }
  return nullptr;
}

}  // namespace

Status CheckTierPolicy(const TableDefinition& table, TierPolicy* policy) {
  const std::string name = table.QualifiedName();
  ARROW_RETURN_NOT_OK(CheckAtLeast(name, "flush_age", policy->flush_age, 0));
  ARROW_RETURN_NOT_OK(CheckAtLeast(name, "min_user_rows", policy->min_user_rows, 0));
  if (!policy->expires()) {
    if (policy->ttl == 0) return Status::OK();
    return Status::Invalid("Table ", name, ": ttl is ", policy->ttl,
                           " s, but of no column; name the one that has the time of a row in ttl_column");
  }
  ARROW_RETURN_NOT_OK(CheckAtLeast(name, "ttl", policy->ttl, 1));
  const ColumnDefinition* const column = FindColumn(table, policy->ttl_column);
  if (column == nullptr) {
    return Status::KeyError("Table ", name, " has no column '", policy->ttl_column, "' that ttl_column names");
  }
  if (column->type.id != TypeId::kDate32 && column->type.id != TypeId::kTimestamp) {
    return Status::Invalid("Table ", name, ": rows cannot expire by column '", column->name, "', which is ",
                           column->type.ToString(), "; ttl_column takes a DATE or a timestamp");
  }
  policy->ttl_column = column->name;
  return Status::OK();
}

}  // namespace yarrow
