// Whether a table can have a TierPolicy.
#pragma once

#include <arrow/status.h>

#include "yarrow/table_definition.h"

namespace yarrow {

// Invalid, naming table, option, value and what it takes; KeyError when there is no column to expire by. Makes the name
// of that column the one it has in the definition. Thread-safe.
arrow::Status CheckTierPolicy(const TableDefinition& table, TierPolicy* policy);

}  // namespace yarrow
