// FileMerger: merges small SST files of the lower levels.
//
// RocksDB merges files that overlap, or a level that holds too much. Files of a few rows whose keys ascend do neither:
// each flush of a small memtable and each small ingest adds one that is moved down as it is, so that a thousand short
// runs of a program leave a thousand files.
#pragma once

#include <arrow/status.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace yarrow {

// Hears of new files as a listener of the database, and merges neighbours of a level in a thread of its own. What
// cannot be merged now is tried after a later change. Thread-safe.
class FileMerger : public rocksdb::EventListener {
 public:
  static constexpr size_t kLeastFiles = 4;          // neighbours that are merged
  static constexpr uint64_t kSmallBytes = 2 << 20;  // a smaller file is
  static constexpr int kChanges = 4;                // of the set of files, before it is looked at again

  // Null when there is no such partition (any more).
  using FindHandle = std::function<rocksdb::ColumnFamilyHandle*(const std::string& name)>;

  ~FileMerger() override { Stop(); }

  // Looks at the files as they are, too.
  arrow::Status Start(rocksdb::DB* db, FindHandle find_handle);
  // Returns when what was begun is done. REQUIRES: the database is open.
  void Stop();

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { NoteChange(); }
  void OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override { NoteChange(); }
  void OnExternalFileIngested(rocksdb::DB*, const rocksdb::ExternalFileIngestionInfo&) override { NoteChange(); }

 private:
  struct Run {
    std::string partition;
    int level = 0;
    std::vector<std::string> files;
  };

  void NoteChange();
  void Work();
  void MergeRuns();
  std::vector<Run> FindRuns() const;

  rocksdb::DB* db_ = nullptr;
  FindHandle find_handle_;
  std::mutex mutex_;
  std::condition_variable wake_;
  int changes_ = kChanges;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace yarrow
