// CREATE INDEX: the entries of the rows that are there.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "job/job.h"
#include "key/key_range.h"
#include "store/write_set.h"
#include "table/database_impl.h"
#include "table/table_impl.h"
#include "write/entry_intake.h"
#include "yarrow/snapshot.h"

namespace yarrow {

// In a transaction, and to be committed with it. Adds the entries of all rows of the snapshot, seen through the writes,
// to the writes, which are those of `user`; of a user table, the rows of all users. `entry`: the table as it becomes,
// whose last index it is. A job, which can be cancelled; an error of `on_progress`, which is told of the rows now and
// then, ends it, too. AlreadyExists, naming the values, when two rows have the same ones in a unique index. (Beside
// writers: flush/online_index.h.)
arrow::Status BuildIndex(const std::shared_ptr<DatabaseImpl>& database, const std::shared_ptr<const TableEntry>& entry,
                         const Snapshot& snapshot, const std::string& user, const OnProgress& on_progress,
                         WriteSet* writes);

// Gives the entries of a part's rows, as the snapshot has the rows under the writes, to intakes, of which each has a
// thread that reads. `keys`: whole ones; ascending, disjoint. `report` is told now and then, by the calling thread, how
// many rows there were, and the number is returned.
arrow::Result<int64_t> AddEntries(const TableImpl& part, const TableIndex& index, const Snapshot& snapshot,
                                  const WriteSet::View& writes, std::vector<KeyRange> keys, const OnProgress& report,
                                  EntryIntakes* entries);
// As many as the setting scan_threads says.
size_t BuildThreads(const TableImpl& table);

// The error of two rows with the same values, as SQL says it of CREATE INDEX. Those of users are for nobody else. Other
// errors, and none, as they are.
arrow::Status ExplainRepeated(const arrow::Status& status, const TableImpl& table, const TableIndex& index);

}  // namespace yarrow
