// The disk that forgets forgets what real ones do, and nothing that was synced.
#include "lossy_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>

#include "arrow_assert.h"
#include "lossy_env.h"
#include "random_seed.h"
#include "store/store_commits.h"
#include "store/store_impl.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::LossyDisk;

class LossyDiskTest : public testing::Test {
 protected:
  LossyDiskTest() {
    fs::create_directory(dir_.File("disk"));
    Write("old", "old");
    disk_ = std::make_unique<LossyDisk>(dir_.File("disk"));
  }
  fs::path At(const std::string& name) const { return dir_.File("disk") / name; }
  void Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(At(name), std::ios::binary) << bytes;
  }
  void Sync(const std::string& name) { ASSERT_EQ(disk_->Sync(*disk_->OpenFile(At(name)), At(name)), 0); }
  void SyncFolder(const std::string& name = "") { ASSERT_EQ(disk_->SyncFolder(At(name)), 0); }

  // "name=bytes", folders as "name/", of what is left.
  std::set<std::string> Left(std::mt19937_64* random = nullptr) {
    const fs::path left = dir_.File("left");
    fs::remove_all(left);
    disk_->Materialise(left, random);
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(left)) {
      const std::string name = entry.path().lexically_relative(left).string();
      std::ifstream file(entry.path(), std::ios::binary);
      found.insert(entry.is_directory() ? name + "/"
                                        : name + "=" + std::string(std::istreambuf_iterator<char>(file), {}));
    }
    return found;
  }

  const test::TempDir dir_;
  std::unique_ptr<LossyDisk> disk_;
};

using FoundNames = std::set<std::string>;

TEST_F(LossyDiskTest, KeepsBytesAndNamesThatWereSynced) {
  Write("new", "new");
  EXPECT_EQ(Left(), FoundNames({"old=old"}));
  Sync("new");
  EXPECT_EQ(Left(), FoundNames({"old=old"})) << "the folder was not synced";
  SyncFolder();
  EXPECT_EQ(Left(), FoundNames({"new=new", "old=old"}));
  Write("new", "newer");
  Write("empty", "lost");
  SyncFolder();
  EXPECT_EQ(Left(), FoundNames({"empty=", "new=new", "old=old"})) << "the bytes were not synced";
}

TEST_F(LossyDiskTest, NamesGoWithTheirFolder) {
  fs::create_directory(At("folder"));
  Write("folder/file", "bytes");
  Sync("folder/file");
  SyncFolder("folder");
  EXPECT_EQ(Left(), FoundNames({"old=old"}));
  SyncFolder();
  EXPECT_EQ(Left(), FoundNames({"old=old", "folder/", "folder/file=bytes"}));
  fs::rename(At("folder/file"), At("folder/named"));
  fs::remove(At("old"));
  EXPECT_EQ(Left(), FoundNames({"old=old", "folder/", "folder/file=bytes"}));
  SyncFolder("folder");
  EXPECT_EQ(Left(), FoundNames({"old=old", "folder/", "folder/named=bytes"}));
  // Another file of that name is another file, although the old one's room is free now.
  Write("old", "other");
  Sync("old");
  EXPECT_EQ(Left(), FoundNames({"old=old", "folder/", "folder/named=bytes"}));
  SyncFolder();
  EXPECT_EQ(Left(), FoundNames({"old=other", "folder/", "folder/named=bytes"}));
}

TEST_F(LossyDiskTest, OfTheRestAnythingMaySurvive) {
  std::mt19937_64 random(test::RandomSeed());
  Write("old", "old and new");
  Write("target", "1");
  Sync("target");
  SyncFolder();
  Write("source", "2");
  Sync("source");
  fs::rename(At("source"), At("target"));
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) {
    const FoundNames left = Left(&random);
    seen.insert(left.begin(), left.end());
    EXPECT_EQ(left.count("target=1") + left.count("target=2"), 1u) << "a rename leaves the one or the other";
  }
  EXPECT_TRUE(seen.contains("target=1"));
  EXPECT_TRUE(seen.contains("target=2"));
  EXPECT_FALSE(seen.contains("source=2")) << "the folder never had it on disk beside the new target";
  EXPECT_TRUE(seen.contains("old=old"));
  EXPECT_TRUE(seen.contains("old=old and"));
  EXPECT_TRUE(seen.contains("old=old and new"));
}

TEST_F(LossyDiskTest, StepsFailAndSyncsAreLeftOut) {
  std::vector<std::string> kinds;
  disk_->on_step = [&](const LossyDisk::Step& step) {
    kinds.push_back(step.kind);
    if (step.number == 2) disk_->Cut();
    if (step.kind == "a#.log") return LossyDisk::kLeftOut;
    return step.number == 1 ? ENOSPC : 0;
  };
  Write("a12.log", "lost");
  Sync("a12.log");
  EXPECT_EQ(disk_->SyncFolder(At("")), ENOSPC);
  EXPECT_EQ(disk_->Begin(LossyDisk::Call::kMake, At("u-ada")).error(), EIO);
  EXPECT_EQ(disk_->SyncFolder(At("")), EIO) << "the power is gone";
  EXPECT_EQ(kinds, std::vector<std::string>({"a#.log", "/", "u-*"}));
  disk_->on_step = nullptr;
  disk_->Restart();
  SyncFolder();
  EXPECT_EQ(Left(), FoundNames({"a12.log=", "old=old"}));
}

// The wrappers pass on all that RocksDB syncs, and nothing else.
TEST(LossyEnv, AStoreKeepsWhatItSynced) {
  const test::TempDir dir;
  fs::create_directory(dir.File("disk"));
  LossyDisk disk(dir.File("disk"));
  {
    test::LossyEnv env(&disk);
    ASSERT_OK_AND_ASSIGN(
        const auto store,
        OpenStoreOn(&env, dir.File("disk") / "db", {.durability = Durability::kOs, .write_buffer_bytes = 64 << 10}));
    ASSERT_OK_AND_ASSIGN(const Partition partition, store->OpenPartition("p"));
    ASSERT_OK(store->commits().CommitPut(partition, "synced", "1", {.sync = true}).status());
    ASSERT_OK(store->commits().CommitPut(partition, "not synced", "2").status());
    disk.Cut();
  }
  disk.Materialise(dir.File("left"));
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(dir.File("left") / "db"));
  ASSERT_OK_AND_ASSIGN(const Partition partition, store->OpenPartition("p"));
  PinnedValue value;
  EXPECT_TRUE(store->Get(partition, "synced", &value).ValueOrDie());
  EXPECT_FALSE(store->Get(partition, "not synced", &value).ValueOrDie());
}

}  // namespace
}  // namespace yarrow
