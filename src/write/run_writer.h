// RunWriter: the writes of one statement in one partition, on their way into a transaction: in memory, or in files when
// they are many.
#pragma once

#include <arrow/status.h>

#include <memory>
#include <string_view>

#include "store/file_run.h"
#include "store/write_set.h"
#include "table/table_impl.h"

namespace yarrow {

// Not thread-safe. Table and writes outlive it.
class RunWriter {
 public:
  // `parts`: of the summary of keys, see KeySummaryBuilder. Keys must ascend when they go to files.
  RunWriter(const TableImpl& table, WriteSet* writes, bool in_files, SstFiles::Parts parts = SstFiles::Parts::kKeys)
      : partition_(table.entry().partition), writes_(writes) {
    if (!in_files) return;
    run_ = std::make_shared<FileRun>(table.database().store(), partition_, SstFiles::kFileBytes, parts);
  }

  arrow::Status Put(std::string_view key, std::string_view row) {
    if (run_ != nullptr) return run_->Put(key, row);
    writes_->Put(partition_, key, row);
    return writes_->status();
  }
  arrow::Status Delete(std::string_view key) {
    if (run_ != nullptr) return run_->Delete(key);
    writes_->Delete(partition_, key);
    return writes_->status();
  }
  // See WriteSet.
  arrow::Status DeleteAbsent(std::string_view key) {
    if (run_ != nullptr) return run_->DeleteAbsent(key);
    writes_->DeleteAbsent(partition_, key);
    return writes_->status();
  }
  // Once, behind the last. Files become the newest run of the writes.
  arrow::Status Finish() {
    if (run_ == nullptr) return writes_->status();
    ARROW_RETURN_NOT_OK(run_->Finish());
    writes_->AddRun(run_);
    return arrow::Status::OK();
  }

 private:
  const Partition partition_;
  WriteSet* const writes_;
  std::shared_ptr<FileRun> run_;
};

// Entries that belong to rows of segments: more go to files.
inline constexpr uint64_t kMostInMemory = 10'000;

}  // namespace yarrow
