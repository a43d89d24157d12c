// ALTER TABLE on a definition: the next one. Pure functions, thread-safe.
#pragma once

#include <arrow/result.h>

#include <optional>

#include "yarrow/table_alteration.h"

namespace yarrow {

// The definition after the change; nothing when it changes nothing. A change of what rows store makes a new schema
// version; ids of columns are never used again. Errors name table and column: KeyError (no such column), AlreadyExists
// (the name is taken), Invalid, and NotImplemented (a change of type that would have to rewrite rows). The name of a
// renamed table is checked for what it is, not for whether it is free. `index_id`: of an index that it makes.
arrow::Result<std::optional<TableDefinition>> AlterDefinition(const TableDefinition& before,
                                                              const TableAlteration& alteration, uint32_t index_id = 0);

}  // namespace yarrow
