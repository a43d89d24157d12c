// min and max of the key: the first and the last row in key order have them, so that a scan need not read the others.
#pragma once

#include "sql/duckdb_api.h"

namespace yarrow::sql {

// Where an aggregate without groups asks for nothing but min and max of the key (of one of its columns, as far as those
// before it are held at one value), the scan below gives one row: the first, the last, or one of each. The aggregate
// stays. To be called when the plan is finished.
void ReadEndsForKeyAggregates(duckdb::OptimizerExtensionInput& input, duckdb::LogicalOperator& plan);

}  // namespace yarrow::sql
