// SstFiles: a sorted stream of writes of one partition, on its way into the store as SST files.
#pragma once

#include <arrow/status.h>
#include <rocksdb/sst_file_writer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/key_summary.h"
#include "store/write_set.h"

namespace yarrow {

struct StoreImpl;

// Writes files of about the same size into the store's tmp folder. Those that were not ingested (which moves them away)
// are removed with this object. Not thread-safe.
class SstFiles {
 public:
  static constexpr uint64_t kFileBytes = 64 << 20;  // of keys and values; the same as RocksDB's own target of a file

  // `parts`: of the summary; kNothing for files that are not for the store.
  using Parts = KeySummaryBuilder::Parts;
  SstFiles(StoreImpl* store, Partition partition, uint64_t file_bytes = kFileBytes, Parts parts = Parts::kKeys)
      : store_(store), partition_(partition), limit_(file_bytes), keys_(partition, parts) {}
  SstFiles(const SstFiles&) = delete;
  SstFiles& operator=(const SstFiles&) = delete;
  ~SstFiles();

  // Keys must be strictly ascending; Invalid, naming the key, otherwise.
  arrow::Status Put(std::string_view key, std::string_view value);
  arrow::Status Delete(std::string_view key);
  // Only the summary gets the key.
  arrow::Status Absent(std::string_view key);
  arrow::Status Add(const WriteOp& op);
  // Removes the keys of [lower, upper) that are older than these files.
  arrow::Status DeleteRange(std::string_view lower, std::string_view upper);
  // Completes and syncs the last file. Nothing may be added afterwards.
  arrow::Status Finish();

  Partition partition() const { return partition_; }
  const std::vector<std::string>& paths() const { return paths_; }
  const std::vector<std::string>& first_keys() const { return first_keys_; }  // of each file
  const std::string& first_key() const { return keys_.first_key(); }
  const std::string& last_key() const { return keys_.last_key(); }
  uint64_t rows() const { return rows_; }  // in the files
  bool empty() const { return keys_.empty(); }
  // Of all keys, once finished.
  const KeySummary& summary() const { return summary_; }
  uint64_t file_bytes() const { return file_bytes_; }  // of finished files

 private:
  arrow::Status BeforeRow(std::string_view key, size_t bytes);
  arrow::Status StartFile();
  arrow::Status FinishFile();

  StoreImpl* store_;
  Partition partition_;
  const uint64_t limit_;                            // of bytes_in_file_, before the last row
  std::unique_ptr<rocksdb::SstFileWriter> writer_;  // null between files
  std::vector<std::string> paths_;
  std::vector<std::string> first_keys_;
  KeySummaryBuilder keys_;
  KeySummary summary_;
  uint64_t rows_ = 0;
  uint64_t bytes_in_file_ = 0;  // of keys and values
  uint64_t file_bytes_ = 0;
};

}  // namespace yarrow
