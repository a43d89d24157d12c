// CREATE INDEX: the entries of the rows that are there.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "job/job.h"
#include "store/write_set.h"
#include "table/database_impl.h"
#include "yarrow/snapshot.h"

namespace yarrow {

// Adds the entries of all rows of the snapshot, seen through the writes, to the writes, which are those of `user`; of a
// user table, the rows of all users. `entry`: the table as it becomes, whose last index it is. A job, which can be
// cancelled; an error of `on_progress`, which is told of the rows now and then, ends it, too. AlreadyExists, naming the
// values, when two rows have the same ones in a unique index.
arrow::Status BuildIndex(const std::shared_ptr<DatabaseImpl>& database, const std::shared_ptr<const TableEntry>& entry,
                         const Snapshot& snapshot, const std::string& user, const OnProgress& on_progress,
                         WriteSet* writes);

}  // namespace yarrow
