// The partitions of Yarrow itself. Programs that have the store of a database cannot open them: one entry that is not
// what the layer above expects there makes the database unreadable.
#pragma once

#include <arrow/result.h>

#include <string_view>

#include "yarrow/store.h"

namespace yarrow {

// "default" (RocksDB makes it), "rows", "counters", "system", and all that begin with "system.": later ones of Yarrow's
// will be named so. The names of programs' partitions have been theirs from the beginning, so they get no prefix.
bool IsReservedPartition(std::string_view name);

// As Store::OpenPartition, for these.
arrow::Result<Partition> OpenSystemPartition(Store& store, std::string_view name);

}  // namespace yarrow
