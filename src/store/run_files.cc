#include "store/run_files.h"

#include <algorithm>
#include <map>

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
  const WriteSet::View in_memory = all.InMemory();
  std::map<uint32_t, std::vector<const SstFiles*>> in_files;
  for (const uint32_t id : in_memory.MemoryPartitions()) in_files[id] = {};
  for (const WriteSet::Run& run : sealed) {
    if (run.file == nullptr || run.file->files().empty()) continue;
    in_files[run.file->partition().id()].push_back(&run.file->files());
  }
  for (auto& [id, runs] : in_files) {
    const Partition partition = store_->PartitionById(id);
    if (!AreApart(&runs, in_memory)) {
      ARROW_RETURN_NOT_OK(Merge(partition, all, {}));
      continue;
    }
    files_.insert(files_.end(), runs.begin(), runs.end());
    if (in_memory.MemoryPartitions().contains(id)) ARROW_RETURN_NOT_OK(Merge(partition, in_memory, runs));
  }
  return arrow::Status::OK();
}

bool RunFiles::AreApart(std::vector<const SstFiles*>* runs, const WriteSet::View& in_memory) {
  std::ranges::sort(*runs, {}, &SstFiles::first_key);
  for (size_t i = 0; i < runs->size(); ++i) {
    const SstFiles& run = *(*runs)[i];
    if (i > 0 && (*runs)[i - 1]->last_key() >= run.first_key()) return false;
    if (in_memory.HasAny(run.partition().id(), run.first_key(), run.last_key())) return false;
  }
  return true;
}

arrow::Status RunFiles::Merge(Partition partition, const WriteSet::View& view,
                              std::span<const SstFiles* const> between) {
  SstFiles* merged = NewFiles(partition);
  OverlayCursor cursor;
  for (cursor.Position(view, partition, {}, {}, nullptr, /*reverse=*/false); cursor.current() != nullptr;
       cursor.Advance()) {
    const WriteOp& op = *cursor.current();
    if (!between.empty() && op.key() > between.front()->first_key()) {
      ARROW_RETURN_NOT_OK(merged->Finish());
      merged = NewFiles(partition);
      while (!between.empty() && op.key() > between.front()->first_key()) between = between.subspan(1);
    }
    ARROW_RETURN_NOT_OK(merged->Add(op));
  }
  ARROW_RETURN_NOT_OK(cursor.status());
  return merged->Finish();
}

}  // namespace yarrow
