// SET NOT NULL: whether all rows of a table have a value in a column.
#pragma once

#include <arrow/status.h>

#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "store/write_set.h"
#include "table/database_impl.h"
#include "yarrow/snapshot.h"

namespace yarrow {

// NotNullViolation that names the first row without one: of a user table, of any user. Reads the rows of the snapshot
// under the writes, which are those of `user`.
arrow::Status CheckNoNulls(const std::shared_ptr<DatabaseImpl>& database,
                           const std::shared_ptr<const TableEntry>& entry, const std::string& column,
                           const Snapshot& snapshot, const WriteSet::View& writes, const std::string& user);

}  // namespace yarrow
