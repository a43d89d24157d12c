#include "store/write_walk.h"

#include "store/file_run.h"
#include "store/write_run.h"

namespace yarrow {

namespace {

arrow::Status WalkMemory(const WriteRun& run, uint32_t partition_id, std::string_view lower, std::string_view upper,
                         const TakeWrite& take) {
  const size_t end = run.PartitionEnd(partition_id);
  for (size_t i = run.LowerBound(partition_id, lower); i < end && run.ops()[i].key() < upper; ++i) {
    ARROW_RETURN_NOT_OK(take(run.ops()[i].kind, run.ops()[i].key(), run.ops()[i].value()));
  }
  return arrow::Status::OK();
}

arrow::Status WalkFiles(const FileRun& run, std::string_view lower, std::string_view upper, const TakeWrite& take) {
  FileRunCursor cursor(run);
  for (cursor.Position(lower, upper, nullptr, /*reverse=*/false); cursor.valid(); cursor.Advance()) {
    ARROW_RETURN_NOT_OK(take(cursor.kind(), cursor.key(), cursor.value()));
  }
  return cursor.status();
}

}  // namespace

arrow::Status WalkWrites(const WriteSet::Run& run, uint32_t partition_id, std::string_view lower,
                         std::string_view upper, const TakeWrite& take) {
  if (run.memory != nullptr) return WalkMemory(*run.memory, partition_id, lower, upper, take);
  if (run.file != nullptr && run.file->partition().id() == partition_id)
    return WalkFiles(*run.file, lower, upper, take);
  return arrow::Status::OK();
}

}  // namespace yarrow
