// SstFiles: a sorted stream of writes of one partition, on its way into the store as SST files.
#pragma once

#include <arrow/status.h>
#include <rocksdb/sst_file_writer.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/key_hashes.h"
#include "store/key_hulls.h"
#include "yarrow/write_set.h"

namespace yarrow {

struct StoreImpl;

// Writes files of about the same size into the store's tmp folder. Those that were not ingested (which moves them away)
// are removed with this object. Not thread-safe.
class SstFiles {
 public:
  static constexpr uint64_t kFileBytes = 64 << 20;  // of keys and values; the same as RocksDB's own target of a file

  // What others are told and judged by. kHulls: of keys that only a commit writes that writes others beside them, by
  // which it is judged. kNothing: of files that are not for the store.
  enum class Summary { kKeys, kHulls, kNothing };

  SstFiles(StoreImpl* store, Partition partition, uint64_t file_bytes = kFileBytes, Summary summary = Summary::kKeys)
      : store_(store), partition_(partition), limit_(file_bytes), summary_(summary) {}
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
  const std::string& first_key() const { return first_key_; }
  const std::string& last_key() const { return last_key_; }
  uint64_t rows() const { return rows_; }  // in the files
  bool empty() const { return keys_ == 0; }
  // Of all keys (HashKey), once finished; null when there are none, or no summary of them.
  const std::shared_ptr<const KeyHashes>& hashes() const { return finished_hashes_; }
  // Ranges that hold all keys.
  std::vector<WriteRange> Hulls() const;
  uint64_t file_bytes() const { return file_bytes_; }  // of finished files

 private:
  arrow::Status Note(std::string_view key);
  arrow::Status BeforeRow(std::string_view key, size_t bytes);
  arrow::Status StartFile();
  arrow::Status FinishFile();

  StoreImpl* store_;
  Partition partition_;
  const uint64_t limit_;  // of bytes_in_file_, before the last row
  const Summary summary_;
  std::unique_ptr<rocksdb::SstFileWriter> writer_;  // null between files
  std::vector<std::string> paths_;
  std::vector<std::string> first_keys_;
  std::string first_key_, last_key_;
  uint64_t keys_ = 0;
  std::deque<uint64_t> hashes_;
  std::shared_ptr<const KeyHashes> finished_hashes_;
  KeyHulls hulls_;
  uint64_t rows_ = 0;
  uint64_t bytes_in_file_ = 0;  // of keys and values
  uint64_t file_bytes_ = 0;
};

}  // namespace yarrow
