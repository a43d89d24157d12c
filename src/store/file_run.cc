#include "store/file_run.h"

#include <algorithm>
#include <utility>

#include "store/rocksdb_slice.h"
#include "store/rocksdb_status.h"
#include "store/store_impl.h"

namespace yarrow {

namespace {

constexpr std::string_view kAbsentEntry = "absent";  // else: deleted

}  // namespace

FileRun::FileRun(std::shared_ptr<Store> store, Partition partition, uint64_t file_bytes, SstFiles::Parts parts)
    : store_(std::move(store)),
      files_(store_->impl(), partition, file_bytes, parts),
      deleted_(store_->impl(), partition, file_bytes, SstFiles::Parts::kNothing) {}

arrow::Status FileRun::Delete(std::string_view key) {
  ARROW_RETURN_NOT_OK(files_.Delete(key));
  return deleted_.Put(key, {});
}

arrow::Status FileRun::DeleteAbsent(std::string_view key) {
  ARROW_RETURN_NOT_OK(files_.Absent(key));
  return deleted_.Put(key, kAbsentEntry);
}

arrow::Status FileRun::Finish() {
  ARROW_RETURN_NOT_OK(files_.Finish());
  ARROW_RETURN_NOT_OK(deleted_.Finish());
  ARROW_RETURN_NOT_OK(OpenReaders(files_, &readers_));
  return OpenReaders(deleted_, &deleted_readers_);
}

arrow::Status FileRun::OpenReaders(const SstFiles& files, Readers* readers) const {
  const StoreImpl& store = *store_->impl();
  const rocksdb::Options options(store.db->GetDBOptions(), store.partition_options);
  for (const std::string& path : files.paths()) {
    auto& reader = readers->emplace_back(std::make_unique<rocksdb::SstFileReader>(options));
    ARROW_RETURN_NOT_OK(FromRocksDb(reader->Open(path), "cannot read '", path, "'"));
  }
  return arrow::Status::OK();
}

arrow::Result<WriteSet::Found> FileRun::Get(std::string_view key, std::string* value) const {
  FileRunCursor cursor(*this);
  cursor.Position(key, std::string(key) + '\0', nullptr, /*reverse=*/false);
  ARROW_RETURN_NOT_OK(cursor.status());
  if (!cursor.valid()) return WriteSet::Found::kNothing;
  if (cursor.kind() != WriteOp::Kind::kPut) return WriteSet::Found::kDelete;
  *value = cursor.value();
  return WriteSet::Found::kPut;
}

void FileRunCursor::Position(std::string_view lower, std::string_view upper, const std::string_view* target,
                             bool reverse) {
  reverse_ = reverse;
  puts_.Position(lower, upper, target, reverse);
  deleted_.Position(lower, upper, target, reverse);
  Choose();
}

void FileRunCursor::Advance() {
  current_->Advance();
  Choose();
}

WriteOp::Kind FileRunCursor::DeletionKind(std::string_view entry) {
  return entry == kAbsentEntry ? WriteOp::Kind::kAbsent : WriteOp::Kind::kDelete;
}

void FileRunCursor::Choose() {
  if (!status().ok()) {
    current_ = nullptr;
  } else if (puts_.valid() && deleted_.valid()) {
    current_ = (puts_.key() < deleted_.key()) != reverse_ ? &puts_ : &deleted_;
  } else {
    current_ = puts_.valid() ? &puts_ : deleted_.valid() ? &deleted_ : nullptr;
  }
}

void FileRunCursor::Files::OpenFile(size_t file) {
  file_ = file;
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  iterator_.reset(readers_[file]->NewIterator(read));
}

void FileRunCursor::Files::Position(std::string_view lower, std::string_view upper, const std::string_view* target,
                                    bool reverse) {
  iterator_.reset();
  lower_ = lower;
  upper_ = upper;
  reverse_ = reverse;
  const std::vector<std::string>& first_keys = files_.first_keys();
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

void FileRunCursor::Files::Advance() {
  reverse_ ? iterator_->Prev() : iterator_->Next();
  Settle();
}

void FileRunCursor::Files::Settle() {
  while (!iterator_->Valid()) {
    if (!iterator_->status().ok()) {
      status = FromRocksDb(iterator_->status(), "cannot read '", files_.paths()[file_], "'");
      return iterator_.reset();
    }
    if (reverse_ ? file_ == 0 : file_ + 1 == readers_.size()) return iterator_.reset();
    OpenFile(reverse_ ? file_ - 1 : file_ + 1);
    reverse_ ? iterator_->SeekToLast() : iterator_->SeekToFirst();
  }
  const bool outside = reverse_ ? key() < lower_ : !upper_.empty() && key() >= upper_;
  if (outside) iterator_.reset();
}

}  // namespace yarrow
