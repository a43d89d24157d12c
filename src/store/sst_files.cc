#include "store/sst_files.h"

#include <filesystem>
#include <utility>

#include "store/home_process.h"
#include "store/rocksdb_status.h"
#include "store/store_impl.h"
#include "store/write_run.h"
#include "yarrow/codec.h"

namespace yarrow {

SstFiles::~SstFiles() {
  if (!HomeProcess::IsHome()) {
    (void)writer_.release();
    return;
  }
  writer_.reset();
  std::error_code error;
  for (const std::string& path : paths_) std::filesystem::remove(path, error);  // what remains is swept at open
}

arrow::Status SstFiles::Note(std::string_view key) {
  if (empty()) {
    first_key_ = key;
  } else if (key <= last_key_) {
    return arrow::Status::Invalid("keys must be strictly ascending: ", FormatKey(key), " follows ",
                                  FormatKey(last_key_), " in a load of partition '",
                                  StoreImpl::Handle(partition_)->GetName(), "'");
  } else if (summary_ != Summary::kNothing) {
    hulls_.Add(last_key_, key);
  }
  if (summary_ == Summary::kKeys) hashes_.push_back(HashKey(partition_.id(), key));
  last_key_.assign(key);
  ++keys_;
  return arrow::Status::OK();
}

arrow::Status SstFiles::BeforeRow(std::string_view key, size_t bytes) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_RETURN_NOT_OK(Note(key));
  if (writer_ != nullptr && bytes_in_file_ >= limit_) ARROW_RETURN_NOT_OK(FinishFile());
  if (writer_ == nullptr) {
    ARROW_RETURN_NOT_OK(StartFile());
    first_keys_.emplace_back(key);
  }
  bytes_in_file_ += bytes;
  ++rows_;
  return arrow::Status::OK();
}

arrow::Status SstFiles::Put(std::string_view key, std::string_view value) {
  ARROW_RETURN_NOT_OK(BeforeRow(key, key.size() + value.size()));
  const rocksdb::Status status = writer_->Put({key.data(), key.size()}, {value.data(), value.size()});
  return status.ok() ? arrow::Status::OK() : FromRocksDb(status, "cannot write '", paths_.back(), "'");
}

arrow::Status SstFiles::Delete(std::string_view key) {
  ARROW_RETURN_NOT_OK(BeforeRow(key, key.size()));
  const rocksdb::Status status = writer_->Delete({key.data(), key.size()});
  return status.ok() ? arrow::Status::OK() : FromRocksDb(status, "cannot write '", paths_.back(), "'");
}

arrow::Status SstFiles::Absent(std::string_view key) {
  return Note(key);
}

arrow::Status SstFiles::Add(const WriteOp& op) {
  switch (op.kind) {
    case WriteOp::Kind::kPut:
      return Put(op.key(), op.value());
    case WriteOp::Kind::kDelete:
      return Delete(op.key());
    case WriteOp::Kind::kAbsent:
      return Absent(op.key());
  }
  return arrow::Status::OK();
}

arrow::Status SstFiles::DeleteRange(std::string_view lower, std::string_view upper) {
  if (writer_ == nullptr) ARROW_RETURN_NOT_OK(StartFile());
  const rocksdb::Status status = writer_->DeleteRange({lower.data(), lower.size()}, {upper.data(), upper.size()});
  return status.ok() ? arrow::Status::OK() : FromRocksDb(status, "cannot write '", paths_.back(), "'");
}

std::vector<WriteRange> SstFiles::Hulls() const {
  return empty() ? std::vector<WriteRange>() : hulls_.Make(partition_.id(), first_key(), last_key_);
}

arrow::Status SstFiles::Finish() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (writer_ != nullptr) ARROW_RETURN_NOT_OK(FinishFile());
  if (!hashes_.empty()) finished_hashes_ = std::make_shared<const KeyHashes>(std::exchange(hashes_, {}));
  return arrow::Status::OK();
}

arrow::Status SstFiles::StartFile() {
  const rocksdb::Options options(store_->db->GetDBOptions(), store_->partition_options);
  // Leaves the pages of the written file in the cache of the system: they are about to be scanned.
  writer_ = std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options, StoreImpl::Handle(partition_),
                                                     /*invalidate_page_cache=*/false);
  paths_.push_back(store_->NewTemporaryFile());
  bytes_in_file_ = 0;
  return FromRocksDb(writer_->Open(paths_.back()), "cannot create '", paths_.back(), "'");
}

arrow::Status SstFiles::FinishFile() {
  rocksdb::ExternalSstFileInfo info;
  const rocksdb::Status status = writer_->Finish(&info);
  writer_.reset();
  file_bytes_ += info.file_size;
  return FromRocksDb(status, "cannot write '", paths_.back(), "'");
}

}  // namespace yarrow
