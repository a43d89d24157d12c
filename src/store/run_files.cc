#include "store/run_files.h"

#include <map>
#include <set>

#include "store/file_run.h"
#include "store/overlay_cursor.h"
#include "store/store_impl.h"

namespace yarrow {

SstFiles* RunFiles::NewFiles(Partition partition) {
  SstFiles* made = owned_.emplace_back(std::make_unique<SstFiles>(store_, partition)).get();
  files_.push_back(made);
  return made;
}

arrow::Status RunFiles::AddRanges(std::span<const WriteRange> ranges) {
  for (const WriteRange& range : ranges) {
    SstFiles* files = NewFiles(store_->PartitionById(range.partition_id));
    ARROW_RETURN_NOT_OK(files->DeleteRange(range.lower, range.upper));
    ARROW_RETURN_NOT_OK(files->Finish());
  }
  return arrow::Status::OK();
}

arrow::Status RunFiles::AddRuns(std::span<const WriteSet::Run> sealed, const WriteSet::View& all) {
  std::map<uint32_t, std::vector<const FileRun*>> runs_in_files;
  for (const WriteSet::Run& run : sealed) {
    if (run.file != nullptr) runs_in_files[run.file->partition().id()].push_back(run.file.get());
  }
  std::set<uint32_t> to_merge = all.MemoryPartitions();
  for (const auto& [id, runs] : runs_in_files) {
    if (runs.size() == 1 && !to_merge.contains(id)) {
      files_.push_back(&runs[0]->files());
    } else {
      to_merge.insert(id);
    }
  }
  for (const uint32_t id : to_merge) ARROW_RETURN_NOT_OK(Merge(store_->PartitionById(id), all));
  return arrow::Status::OK();
}

arrow::Status RunFiles::Merge(Partition partition, const WriteSet::View& all) {
  SstFiles* merged = NewFiles(partition);
  OverlayCursor cursor;
  for (cursor.Position(all, partition, {}, {}, nullptr, /*reverse=*/false); cursor.current() != nullptr;
       cursor.Advance()) {
    const WriteOp& op = *cursor.current();
    ARROW_RETURN_NOT_OK(op.kind == WriteOp::Kind::kPut ? merged->Put(op.key(), op.value()) : merged->Delete(op.key()));
  }
  ARROW_RETURN_NOT_OK(cursor.status());
  return merged->Finish();
}

}  // namespace yarrow
