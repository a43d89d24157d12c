// SstLoad: bulk loads, past memtable and log, straight into SST files.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "store/sst_files.h"
#include "yarrow/store.h"

namespace yarrow {

// Takes the rows of one partition in ascending key order and makes them visible in one atomic step. An existing row of
// a loaded key is replaced. Until then nothing is in the store; dropping the object removes what was written. Keeps its
// Store open. Not thread-safe.
class SstLoad {
 public:
  static arrow::Result<std::unique_ptr<SstLoad>> Open(std::shared_ptr<Store> store, Partition partition);

  // Invalid, naming the key, unless it is above every key before.
  arrow::Status Append(std::string_view key, std::string_view value) { return files_.Put(key, value); }

  // Commits the rows, synced; other commits to keys between the first and the last loaded one wait meanwhile. With
  // `options.transaction`, guards must be given too, and any commit to their tables since its snapshot is a conflict.
  // REQUIRES: not committed before.
  arrow::Result<CommitResult> Commit(const CommitOptions& options = {});

  // The same for several loads at once, of one store: all of them or none. Loads of one partition must not overlap.
  static arrow::Result<CommitResult> Commit(std::span<SstLoad* const> loads, const CommitOptions& options = {});

  uint64_t rows() const { return files_.rows(); }
  uint64_t file_bytes() const { return files_.file_bytes(); }  // complete after Commit

 private:
  SstLoad(std::shared_ptr<Store> store, Partition partition)
      : store_(std::move(store)), files_(store_->impl(), partition) {}

  std::shared_ptr<Store> store_;
  SstFiles files_;
};

}  // namespace yarrow
