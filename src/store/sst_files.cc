#include "store/sst_files.h"

#include <unistd.h>

#include "store/home_process.h"
#include "store/rocksdb_status.h"
#include "store/store_impl.h"

namespace yarrow {

SstFiles::~SstFiles() {
  if (!HomeProcess::IsHome()) {
    (void)writer_.release();
    return;
  }
  writer_.reset();
  for (const std::string& path : paths_) ::unlink(path.c_str());  // what remains is swept at open
}

arrow::Status SstFiles::BeforeRow(std::string_view key, size_t bytes) {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  ARROW_RETURN_NOT_OK(keys_.Add(key));
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
  return keys_.Add(key);
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

arrow::Status SstFiles::Finish() {
  ARROW_RETURN_NOT_OK(HomeProcess::Check());
  if (writer_ != nullptr) ARROW_RETURN_NOT_OK(FinishFile());
  summary_ = keys_.Finish();
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
