// FileRun: a sealed run of a WriteSet that was too large for memory, in SST files.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <rocksdb/sst_file_reader.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/sst_files.h"
#include "store/write_set.h"
#include "yarrow/store.h"

namespace yarrow {

// Writes of one partition. First they are added, keys ascending; after Finish the run is immutable, can be read from
// any thread, and a commit moves its files into the store as they are. Files that were not committed go with the
// object.
class FileRun {
 public:
  FileRun(std::shared_ptr<Store> store, Partition partition, uint64_t file_bytes = SstFiles::kFileBytes,
          SstFiles::Parts parts = SstFiles::Parts::kKeys);

  // Invalid, naming the key, unless it is above every key before.
  arrow::Status Put(std::string_view key, std::string_view value) { return files_.Put(key, value); }
  arrow::Status Delete(std::string_view key);
  // See WriteSet.
  arrow::Status DeleteAbsent(std::string_view key);
  arrow::Status Finish();

  // What the run says about the key. Opens an iterator: some microseconds.
  arrow::Result<WriteSet::Found> Get(std::string_view key, std::string* value) const;

  const SstFiles& files() const { return files_; }
  Partition partition() const { return files_.partition(); }

 private:
  friend class FileRunCursor;
  using Readers = std::vector<std::unique_ptr<rocksdb::SstFileReader>>;  // one a file, in key order
  arrow::Status OpenReaders(const SstFiles& files, Readers* readers) const;

  const std::shared_ptr<Store> store_;
  SstFiles files_;
  // The deleted keys once more, as entries with a kind: who reads SST files does not see deletions.
  SstFiles deleted_;
  Readers readers_;
  Readers deleted_readers_;
};

// Walks a run in either direction. Not thread-safe; the run must outlive it.
class FileRunCursor {
 public:
  explicit FileRunCursor(const FileRun& run)
      : puts_(run.files_, run.readers_), deleted_(run.deleted_, run.deleted_readers_) {}

  // Goes to the first write, in the direction asked for, of [lower, upper) at or behind `target`. An empty bound or
  // null target is none.
  void Position(std::string_view lower, std::string_view upper, const std::string_view* target, bool reverse);
  void Advance();

  // False at the end of the range, and after an error, which `status` tells. Key and value live until Advance.
  bool valid() const { return current_ != nullptr; }
  WriteOp::Kind kind() const { return is_deletion() ? DeletionKind(current_->value()) : WriteOp::Kind::kPut; }
  std::string_view key() const { return current_->key(); }
  std::string_view value() const { return is_deletion() ? std::string_view() : current_->value(); }
  const arrow::Status& status() const { return puts_.status.ok() ? deleted_.status : puts_.status; }

 private:
  // The same over some of the files.
  class Files {
   public:
    Files(const SstFiles& files, const FileRun::Readers& readers) : files_(files), readers_(readers) {}
    void Position(std::string_view lower, std::string_view upper, const std::string_view* target, bool reverse);
    void Advance();
    bool valid() const { return iterator_ != nullptr; }
    std::string_view key() const { return {iterator_->key().data(), iterator_->key().size()}; }
    std::string_view value() const { return {iterator_->value().data(), iterator_->value().size()}; }
    arrow::Status status;

   private:
    void OpenFile(size_t file);
    // Goes on to the next file when this one has no more, and ends outside of the range.
    void Settle();

    const SstFiles& files_;
    const FileRun::Readers& readers_;
    size_t file_ = 0;
    std::unique_ptr<rocksdb::Iterator> iterator_;
    bool reverse_ = false;
    std::string lower_, upper_;
  };
  bool is_deletion() const { return current_ == &deleted_; }
  static WriteOp::Kind DeletionKind(std::string_view entry);
  void Choose();

  Files puts_, deleted_;
  bool reverse_ = false;
  Files* current_ = nullptr;
};

}  // namespace yarrow
