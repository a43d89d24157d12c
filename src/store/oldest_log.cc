#include "store/oldest_log.h"

#include <rocksdb/db.h>
#include <rocksdb/wal_filter.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "store/rocksdb_status.h"

namespace yarrow {
namespace {

// RocksDB tells a filter of its log which file each partition needs, before it reads any; it need read none then.
class LogNumberReader : public rocksdb::WalFilter {
 public:
  const char* Name() const override { return "yarrow::LogNumberReader"; }
  void ColumnFamilyLogNumberMap(const std::map<uint32_t, uint64_t>& log_of_partition,
                                const std::map<std::string, uint32_t>& /*partitions*/) override {
    for (const auto& [partition, log] : log_of_partition) oldest_ = std::min(oldest_, log);
  }
  WalProcessingOption LogRecordFound(unsigned long long /*log*/, const std::string& /*name*/,
                                     const rocksdb::WriteBatch& /*batch*/, rocksdb::WriteBatch* /*new_batch*/,
                                     bool* /*is_changed*/) override {
    return WalProcessingOption::kStopReplay;
  }
  uint64_t oldest() const { return oldest_ == std::numeric_limits<uint64_t>::max() ? 0 : oldest_; }

 private:
  uint64_t oldest_ = std::numeric_limits<uint64_t>::max();
};

}  // namespace

arrow::Result<uint64_t> FindOldestNeededLog(const rocksdb::Options& options, const std::string& hot) {
  LogNumberReader reader;
  rocksdb::Options reading = options;
  reading.wal_filter = &reader;
  reading.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  reading.listeners.clear();
  std::vector<std::string> names;
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(reading, hot, &names);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, reading);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  if (status.ok()) status = rocksdb::DB::OpenForReadOnly(reading, hot, descriptors, &handles, &opened);
  ARROW_RETURN_NOT_OK(FromRocksDb(status, "cannot read what is left of '", hot, "'"));
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (rocksdb::ColumnFamilyHandle* handle : handles) (void)db->DestroyColumnFamilyHandle(handle);
  return reader.oldest();
}

}  // namespace yarrow
