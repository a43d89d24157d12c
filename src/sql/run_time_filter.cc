#include "sql/run_time_filter.h"

#include <algorithm>
#include <utility>

#include "sql/condition_translation.h"

namespace yarrow::sql {
namespace {

using duckdb::TableFilterType;

void Collect(const duckdb::TableFilter& filter, std::vector<duckdb::shared_ptr<duckdb::DynamicFilterData>>* data) {
  switch (filter.filter_type) {
    case TableFilterType::DYNAMIC_FILTER:
      if (const auto& known = filter.Cast<duckdb::DynamicFilter>().filter_data) data->push_back(known);
      return;
    case TableFilterType::OPTIONAL_FILTER:
      if (const auto& child = filter.Cast<duckdb::OptionalFilter>().child_filter) Collect(*child, data);
      return;
    case TableFilterType::CONJUNCTION_AND:
      for (const auto& child : filter.Cast<duckdb::ConjunctionAndFilter>().child_filters) Collect(*child, data);
      return;
    case TableFilterType::CONJUNCTION_OR:
      for (const auto& child : filter.Cast<duckdb::ConjunctionOrFilter>().child_filters) Collect(*child, data);
      return;
    default:
      return;
  }
}

}  // namespace

void RunTimeFilter::Add(const duckdb::TableFilter& filter, int column, const ColumnType& type) {
  Part part;
  Collect(filter, &part.data);
  if (part.data.empty()) return;
  part.filter = filter.Copy();
  part.column = column;
  part.type = type;
  parts_.push_back(std::move(part));
}

std::optional<Predicate> RunTimeFilter::Read(Look* known) const {
  Look now;
  for (const Part& part : parts_) {
    for (const auto& data : part.data) {
      const duckdb::lock_guard<duckdb::mutex> lock(data->lock);
      now.values.push_back(data->initialized ? data->filter->constant : duckdb::Value());
    }
  }
  if (std::ranges::equal(now.values, known->values, duckdb::Value::NotDistinctFrom)) return std::nullopt;
  *known = std::move(now);
  std::vector<Predicate> conjuncts;
  for (const Part& part : parts_) {
    conjuncts.push_back(TranslateFilter(*part.filter, part.column, part.type).value_or(Predicate::True()));
  }
  return Predicate::And(std::move(conjuncts));
}

}  // namespace yarrow::sql
