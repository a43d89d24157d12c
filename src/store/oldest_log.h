// Which files of the log RocksDB needs.
#pragma once

#include <arrow/result.h>
#include <rocksdb/options.h>

#include <cstdint>
#include <string>

namespace yarrow {

// The number of the oldest file of the log with something that is in no SST file yet, by the MANIFEST of the closed
// database `hot`. Changes nothing.
arrow::Result<uint64_t> FindOldestNeededLog(const rocksdb::Options& options, const std::string& hot);

}  // namespace yarrow
