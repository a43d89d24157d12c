#include "store/file_merger.h"

#include <algorithm>
#include <map>
#include <utility>

#include "store/guarded.h"

namespace yarrow {

arrow::Status FileMerger::Start(rocksdb::DB* db, FindHandle find_handle) {
  db_ = db;
  find_handle_ = std::move(find_handle);
  return StartThread("yarrow-merger", [this] { Work(); }).Value(&thread_);
}

void FileMerger::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void FileMerger::NoteChange() {
  std::lock_guard lock(mutex_);
  if (++changes_ >= kChanges) wake_.notify_one();
}

void FileMerger::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // Also when it ends before it had a look: a program that runs for a moment has its share of the work.
    wake_.wait(lock, [this] { return stopping_ || changes_ >= kChanges; });
    if (changes_ < kChanges) return;
    changes_ = 0;
    lock.unlock();
    ARROW_UNUSED(RunGuarded([this] { MergeRuns(); }));  // a later change is as good
    lock.lock();
    if (stopping_) return;
  }
}

void FileMerger::MergeRuns() {
  for (const Run& run : FindRuns()) {
    rocksdb::ColumnFamilyHandle* const handle = find_handle_(run.partition);
    rocksdb::CompactionOptions options;
    options.compression = rocksdb::kDisableCompressionOption;  // that of the partition
    if (handle != nullptr) db_->CompactFiles(options, handle, run.files, run.level).PermitUncheckedError();
  }
}

std::vector<FileMerger::Run> FileMerger::FindRuns() const {
  std::vector<rocksdb::LiveFileMetaData> files;
  db_->GetLiveFilesMetaData(&files);
  std::map<std::pair<std::string, int>, std::vector<const rocksdb::LiveFileMetaData*>> levels;
  for (const rocksdb::LiveFileMetaData& file : files) {
    if (file.level > 0) levels[{file.column_family_name, file.level}].push_back(&file);
  }
  std::vector<Run> runs;
  for (auto& [place, level] : levels) {
    std::ranges::sort(level, {}, [](const auto* file) -> const std::string& { return file->smallestkey; });
    Run run{place.first, place.second, {}};
    const auto end_run = [&] {
      if (run.files.size() >= kLeastFiles) runs.push_back(run);
      run.files.clear();
    };
    for (const rocksdb::LiveFileMetaData* file : level) {
      if (file->size >= kSmallBytes || file->being_compacted) {
        end_run();
      } else {
        run.files.push_back(file->name);
      }
    }
    end_run();
  }
  return runs;
}

}  // namespace yarrow
