// Checking a database: its tables, their rows in both tiers, the manifest and the files.
#pragma once

#include <arrow/result.h>

#include <memory>

#include "table/database_impl.h"
#include "yarrow/check.h"

namespace yarrow {

// Reads everything at one snapshot. What it finds wrong is in the report; an error is what keeps it from looking, or
// options.on_progress's. Thread-safe; writers go on meanwhile.
//
// Of each segment: the file's size, SHA-256 and footer, the order of its keys, numbers of rows, statistics and the key
// filter, overrides that name rows it has. Of each table: that every row can be read, that keys ascend over both tiers
// and none is there twice, that each row has its entry in each index and no other entry is there. Of all: that
// overrides and key filters belong to segments, and segments to tables. (Files that nobody knows are removed when a
// database is opened.)
arrow::Result<CheckReport> CheckDatabase(const std::shared_ptr<DatabaseImpl>& database,
                                         const DatabaseCheckOptions& options);

}  // namespace yarrow
