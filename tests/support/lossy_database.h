// A database on a LossyDisk: all its files, RocksDB's and ours, go through one disk that forgets and fails. Test-only.
#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "cold/deleted_file.h"
#include "cold/segment_key.h"
#include "cold/segment_path.h"
#include "database/open_database.h"
#include "database_fixture.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "lossy_env.h"
#include "lossy_file_system.h"
#include "store/system_partition.h"
#include "yarrow/scan_iterator.h"

namespace yarrow::test {

// What is wrong with the files of an open database: those below cold/ that nothing names, or that are missing, and what
// is left in tmp/. Empty: nothing.
inline std::string WrongFiles(const Database& db) {
  namespace fs = std::filesystem;
  const fs::path path = db.store()->path();
  std::set<fs::path> named, there;
  const Partition rows = OpenSystemPartition(*db.store(), "rows").ValueOrDie();
  const auto visit = [&](const std::string& prefix, const auto& decode) {
    const KeyRange all = PrefixRange(prefix);
    ScanCursor records = db.store()->Scan({.partition = rows, .lower = all.lower, .upper = all.upper});
    while (records.Next()) named.insert(path / cold::SegmentPath(decode(records.key()).ValueOrDie()));
  };
  visit(RecordPrefix(RecordKind::kManifest), cold::DecodeManifestKey);
  visit(cold::DeletedFilePrefix(), cold::DecodeDeletedFileKey);
  for (const char* folder : {"cold", "tmp"}) {
    if (!fs::exists(path / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(path / folder)) {
      if (entry.is_regular_file()) there.insert(entry.path());
    }
  }
  std::string wrong;
  for (const fs::path& file : there) {
    if (!named.contains(file)) wrong += "nothing names " + file.string() + "\n";
  }
  for (const fs::path& file : named) {
    if (!there.contains(file)) wrong += file.string() + " is missing\n";
  }
  return wrong;
}

// Not thread-safe.
class LossyDatabase {
 public:
  // `name`: the database's folder, relative to the disk's. `content`: what the disk has at first; none: nothing.
  explicit LossyDatabase(std::string name = "db", const std::filesystem::path& content = {}) : name_(std::move(name)) {
    std::filesystem::create_directory(folder());
    if (!content.empty()) std::filesystem::copy(content, folder(), std::filesystem::copy_options::recursive);
    Mount();
  }
  ~LossyDatabase() { Unmount(); }

  arrow::Status Open(const StoreOptions& options) {
    ARROW_ASSIGN_OR_RAISE(db, OpenDatabaseOn(env_.get(), files_.get(), path(), options));
    ARROW_ASSIGN_OR_RAISE(session, db->OpenSession());
    return arrow::Status::OK();
  }
  // Whoever else holds something of the database must let go first.
  void Close() {
    session.reset();
    db.reset();
  }
  // What is left is on a new disk; see LossyDisk::Materialise.
  void LosePower(std::mt19937_64* random = nullptr) {
    disk->Cut();
    Close();
    disk->on_step = nullptr;
    const std::filesystem::path left = dir_.File("left");
    disk->Materialise(left, random);
    Unmount();
    std::filesystem::remove_all(folder());
    std::filesystem::rename(left, folder());
    Mount();
  }
  // As kill -9.
  void Kill() {
    disk->Cut();
    Close();
    disk->on_step = nullptr;
    disk->Restart();
  }

  std::filesystem::path folder() const { return dir_.File("disk"); }
  std::filesystem::path path() const { return folder() / name_; }

  std::unique_ptr<LossyDisk> disk;
  std::shared_ptr<Database> db;
  std::shared_ptr<Session> session;

 private:
  void Mount() {
    disk = std::make_unique<LossyDisk>(folder());
    env_ = std::make_unique<LossyEnv>(disk.get());
    files_ = std::make_unique<cold::test::LossyFileSystem>(disk.get());
  }
  void Unmount() {
    Close();
    files_.reset();
    env_.reset();
    disk.reset();
  }

  const std::string name_;
  const TempDir dir_;
  std::unique_ptr<LossyEnv> env_;
  std::unique_ptr<cold::test::LossyFileSystem> files_;
};

}  // namespace yarrow::test
