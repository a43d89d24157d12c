#include "store/file_run.h"

#include <algorithm>
#include <utility>

#include "store/rocksdb_slice.h"
#include "store/rocksdb_status.h"
#include "store/store_impl.h"

namespace yarrow {

namespace {}  // namespace

FileRun::FileRun(std::shared_ptr<Store> store, Partition partition, uint64_t file_bytes)
    : store_(std::move(store)), files_(store_->impl(), partition, file_bytes) {}

arrow::Status FileRun::Finish() {
  ARROW_RETURN_NOT_OK(files_.Finish());
  const StoreImpl& store = *store_->impl();
  const rocksdb::Options options(store.db->GetDBOptions(), store.partition_options);
  for (const std::string& path : files_.paths()) {
    auto& reader = readers_.emplace_back(std::make_unique<rocksdb::SstFileReader>(options));
    ARROW_RETURN_NOT_OK(FromRocksDb(reader->Open(path), "cannot read '", path, "'"));
  }
  return arrow::Status::OK();
}

arrow::Result<bool> FileRun::Get(std::string_view key, std::string* value) const {
  FileRunCursor cursor(*this);
  cursor.Position(key, std::string(key) + '\0', nullptr, /*reverse=*/false);
  ARROW_RETURN_NOT_OK(cursor.status());
  if (!cursor.valid()) return false;
  *value = cursor.value();
  return true;
}

void FileRunCursor::OpenFile(size_t file) {
  file_ = file;
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  iterator_.reset(run_->readers_[file]->NewIterator(read));
}

void FileRunCursor::Position(std::string_view lower, std::string_view upper, const std::string_view* target,
                             bool reverse) {
  iterator_.reset();
  lower_ = lower;
  upper_ = upper;
  reverse_ = reverse;
  const std::vector<std::string>& first_keys = run_->files().first_keys();
  if (first_keys.empty()) return;
  const auto file_of = [&](std::string_view key) {  // the last file that starts at or below the key
    const auto above = std::upper_bound(first_keys.begin(), first_keys.end(), key);
    return above == first_keys.begin() ? size_t{0} : static_cast<size_t>(above - first_keys.begin()) - 1;
  };
  if (!reverse) {
    const std::string_view from = target != nullptr ? std::max(lower, *target) : lower;
    OpenFile(file_of(from));
    iterator_->Seek(ToSlice(from));
  } else if (target != nullptr && (upper.empty() || *target < upper)) {
    OpenFile(file_of(*target));
    iterator_->SeekForPrev(ToSlice(*target));
  } else if (!upper.empty()) {
    OpenFile(file_of(upper));
    iterator_->SeekForPrev(ToSlice(upper));
    if (iterator_->Valid() && key() == upper) iterator_->Prev();
  } else {
    OpenFile(first_keys.size() - 1);
    iterator_->SeekToLast();
  }
  Settle();
}

void FileRunCursor::Advance() {
  reverse_ ? iterator_->Prev() : iterator_->Next();
  Settle();
}

void FileRunCursor::Settle() {
  while (!iterator_->Valid()) {
    if (!iterator_->status().ok()) {
      status_ = FromRocksDb(iterator_->status(), "cannot read '", run_->files().paths()[file_], "'");
      return iterator_.reset();
    }
    if (reverse_ ? file_ == 0 : file_ + 1 == run_->readers_.size()) return iterator_.reset();
    OpenFile(reverse_ ? file_ - 1 : file_ + 1);
    reverse_ ? iterator_->SeekToLast() : iterator_->SeekToFirst();
  }
  const bool outside = reverse_ ? key() < lower_ : !upper_.empty() && key() >= upper_;
  if (outside) iterator_.reset();
}

}  // namespace yarrow
