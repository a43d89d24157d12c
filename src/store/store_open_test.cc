// Opening: what is refused and how it is said, interrupted creation, one Store per path.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "arrow_assert.h"
#include "child_process.h"
#include "store/store_commits.h"
#include "temp_dir.h"
#include "yarrow/scan_iterator.h"
#include "yarrow/store.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::ChildProcess;
using test::TempDir;

void WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A database at `path` with one entry, closed.
void MakeDatabase(const fs::path& path) {
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(path));
  ASSERT_OK_AND_ASSIGN(Partition partition, store->OpenPartition("p"));
  ASSERT_OK(store->commits().CommitPut(partition, "k", "v").status());
}

void ExpectEntry(const fs::path& path) {
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(path));
  ASSERT_OK_AND_ASSIGN(Partition partition, store->OpenPartition("p"));
  PinnedValue value;
  ASSERT_OK_AND_ASSIGN(bool found, store->Get(partition, "k", &value));
  ASSERT_TRUE(found);
  EXPECT_EQ(value.view(), "v");
}

TEST(StoreOpen, CreatesWithMarkerAndReopens) {
  TempDir dir;
  const fs::path path = dir.File("a/b/db");  // parents are made too
  MakeDatabase(path);
  EXPECT_EQ(ReadFile(path / "YARROW"), "yarrow format 1\n");
  EXPECT_FALSE(fs::exists(path / "YARROW.creating"));
  ExpectEntry(path);
}

TEST(StoreOpen, MissingNamesPathAndRemedy) {
  TempDir dir;
  const auto opened = Store::Open(dir.File("none"), {.create_if_missing = false});
  EXPECT_ERROR_HAS(opened, dir.File("none").string());
  EXPECT_ERROR_HAS(opened, "create_if_missing");
  EXPECT_FALSE(fs::exists(dir.File("none")));
  fs::create_directory(dir.File("empty"));
  EXPECT_ERROR_HAS(Store::Open(dir.File("empty"), {.create_if_missing = false}), "it is empty");
}

TEST(StoreOpen, FileIsNotADirectory) {
  TempDir dir;
  WriteFile(dir.File("file"), "x");
  EXPECT_ERROR_HAS(Store::Open(dir.File("file")), "is not a directory");
}

TEST(StoreOpen, ForeignDirectoryIsLeftAlone) {
  TempDir dir;
  fs::create_directory(dir.File("photos"));
  WriteFile(dir.File("photos") / "cat.jpg", "meow");
  EXPECT_ERROR_HAS(Store::Open(dir.File("photos")), "holds 'cat.jpg'");
  EXPECT_FALSE(fs::exists(dir.File("photos") / "hot"));
  // Not even a folder of the right name makes it ours.
  fs::create_directories(dir.File("other") / "hot");
  WriteFile(dir.File("other") / "hot" / "CURRENT", "mine");
  EXPECT_ERROR_HAS(Store::Open(dir.File("other")), "is not a Yarrow database");
  EXPECT_EQ(ReadFile(dir.File("other") / "hot" / "CURRENT"), "mine");
  // Nor does a creation marker beside something else.
  WriteFile(dir.File("photos") / "YARROW.creating", "");
  EXPECT_ERROR_HAS(Store::Open(dir.File("photos")), "holds 'cat.jpg'");
}

TEST(StoreOpen, NewerFormatSaysUpgrade) {
  TempDir dir;
  MakeDatabase(dir.File("db"));
  WriteFile(dir.File("db") / "YARROW", "yarrow format 7\n");
  EXPECT_ERROR_HAS(Store::Open(dir.File("db")), "was written by Yarrow format 7, this program reads up to 1: upgrade");
  WriteFile(dir.File("db") / "YARROW", "yarrow format 1\n");
  ExpectEntry(dir.File("db"));
}

TEST(StoreOpen, DamagedSaysSo) {
  TempDir dir;
  for (const std::string text : {"", "yarrow", "yarrow format \n", "yarrow format x\n", "yarrow format 1", "junk\n",
                                 "yarrow format 99999999999999999999\n"}) {
    const fs::path path = dir.File("marker");
    fs::remove_all(path);
    MakeDatabase(path);
    WriteFile(path / "YARROW", text);
    EXPECT_ERROR_HAS(Store::Open(path), "is damaged");
  }
  const auto break_and_open = [&](const char* name, auto&& destroy) {
    SCOPED_TRACE(name);
    const fs::path path = dir.File(name);
    MakeDatabase(path);
    destroy(path / "hot");
    const auto opened = Store::Open(path);
    EXPECT_ERROR_HAS(opened, path.string());
    EXPECT_ERROR_HAS(opened, "damaged");
    EXPECT_ERROR_HAS(opened, "backup");
  };
  break_and_open("no_hot", [](const fs::path& hot) { fs::remove_all(hot); });
  break_and_open("no_current", [](const fs::path& hot) { fs::remove(hot / "CURRENT"); });
  break_and_open("no_manifest", [](const fs::path& hot) {
    for (const auto& entry : fs::directory_iterator(hot)) {
      if (entry.path().filename().string().starts_with("MANIFEST")) fs::remove(entry.path());
    }
  });
  break_and_open("torn_manifest", [](const fs::path& hot) {
    for (const auto& entry : fs::directory_iterator(hot)) {
      if (entry.path().filename().string().starts_with("MANIFEST")) WriteFile(entry.path(), std::string(100, 'x'));
    }
  });
}

TEST(StoreOpen, InterruptedCreationStartsOver) {
  TempDir dir;
  const fs::path path = dir.File("db");
  fs::create_directories(path / "hot");
  WriteFile(path / "YARROW.creating", "");
  WriteFile(path / "hot" / "CURRENT", "half a database");
  EXPECT_ERROR_HAS(Store::Open(path, {.create_if_missing = false}), "creation was interrupted");
  MakeDatabase(path);
  ExpectEntry(path);
  EXPECT_FALSE(fs::exists(path / "YARROW.creating"));
  // The marker file alone is enough of a creation.
  fs::create_directories(dir.File("early"));
  WriteFile(dir.File("early") / "YARROW.creating", "");
  MakeDatabase(dir.File("early"));
  ExpectEntry(dir.File("early"));
}

TEST(StoreOpen, LeftoverTemporaryFilesAreSwept) {
  TempDir dir;
  MakeDatabase(dir.File("db"));
  WriteFile(dir.File("db") / "tmp" / "7.sst", "left by a crash");
  ExpectEntry(dir.File("db"));
  EXPECT_TRUE(fs::is_empty(dir.File("db") / "tmp"));
}

TEST(ChildProcess, DISABLED_HoldOpen) {
  if (test::ChildPath() == nullptr) GTEST_SKIP();
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(test::ChildPath()));
  test::WriteToParent("open");
  ::pause();
}

TEST(StoreOpen, LockedByAnotherProcessNamesItsPid) {
  TempDir dir;
  ChildProcess child("DISABLED_HoldOpen", dir.File("db"));
  ASSERT_EQ(child.ReadLine(), "open");
  const auto opened = Store::Open(dir.File("db"));
  EXPECT_ERROR_HAS(opened, "is locked by process " + std::to_string(child.pid()));
  EXPECT_ERROR_HAS(opened, dir.File("db").string());
  child.Kill();
  MakeDatabase(dir.File("db"));  // free again
}

TEST(ChildProcess, DISABLED_HoldCreation) {
  if (test::ChildPath() == nullptr) GTEST_SKIP();
  const int fd = ::open(test::ChildPath(), O_RDWR | O_CREAT, 0644);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(fd, F_SETLK, &lock), 0);
  test::WriteToParent("locked");
  ::pause();
}

TEST(StoreOpen, CreationByAnotherProcessIsNotSweptAway) {
  TempDir dir;
  fs::create_directories(dir.File("db") / "hot");
  WriteFile(dir.File("db") / "hot" / "CURRENT", "being written");
  ChildProcess child("DISABLED_HoldCreation", dir.File("db") / "YARROW.creating");
  ASSERT_EQ(child.ReadLine(), "locked");
  EXPECT_ERROR_HAS(Store::Open(dir.File("db")), "is being created by process " + std::to_string(child.pid()));
  EXPECT_TRUE(fs::exists(dir.File("db") / "hot" / "CURRENT"));
}

TEST(StoreRegistry, OneStorePerCanonicalPath) {
  TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
  ASSERT_OK_AND_ASSIGN(auto again, Store::Open(dir.path() / "x" / ".." / "db" / ""));
  EXPECT_EQ(store, again);
  fs::create_directory_symlink(dir.File("db"), dir.File("link"));
  ASSERT_OK_AND_ASSIGN(auto linked, Store::Open(dir.File("link")));
  EXPECT_EQ(store, linked);
}

TEST(StoreRegistry, DifferingOptionsAreNamed) {
  TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
  EXPECT_ERROR_HAS(Store::Open(dir.File("db"), {.durability = Durability::kOs}), "another durability");
  EXPECT_ERROR_HAS(Store::Open(dir.File("db"), {.block_cache_bytes = 1 << 20}), "another block_cache_bytes");
  EXPECT_ERROR_HAS(Store::Open(dir.File("db"), {.write_buffer_bytes = 1 << 20}), "another write_buffer_bytes");
  EXPECT_ERROR_HAS(Store::Open(dir.File("db"), {.ingest_threshold_bytes = 1}), "another ingest_threshold_bytes");
  EXPECT_OK(Store::Open(dir.File("db"), {.create_if_missing = false}).status());
}

TEST(StoreRegistry, ThreadsThatOpenAndCloseAtOnceGetOneStore) {
  TempDir dir;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        auto store = Store::Open(dir.File("db"), {.durability = Durability::kOs});
        if (!store.ok()) {
          ++failures;
          ADD_FAILURE() << store.status().ToString();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST(StoreRegistry, StoreStaysOpenForWhatWasHandedOut) {
  TempDir dir;
  MakeDatabase(dir.File("db"));
  Snapshot snapshot;
  std::optional<ScanCursor> scan;
  {
    ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
    ASSERT_OK_AND_ASSIGN(Partition partition, store->OpenPartition("p"));
    snapshot = store->GetSnapshot();
    scan = store->Scan({.partition = partition});
  }
  EXPECT_TRUE(scan->Next());
  EXPECT_EQ(scan->value(), "v");
  EXPECT_GT(snapshot.sequence(), 0u);
}

}  // namespace
}  // namespace yarrow
