// Stores and forks: what a child may do with what it inherits, and with a directory.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "arrow_assert.h"
#include "child_process.h"
#include "forked.h"
#include "store/home_process.h"
#include "store/store_commits.h"
#include "temp_dir.h"
#include "yarrow/entity_store.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::ChildEnd;
using test::ChildProcess;
using test::InForkedChild;
using test::TempDir;

constexpr const char* kRemedy = "fork first and open afterwards";

// Size and time of all files below a folder.
std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> FilesBelow(const fs::path& folder) {
  std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[entry.path().string()] = {entry.file_size(), entry.last_write_time()};
  }
  return files;
}

class ForkTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, Store::Open(path_, {.durability = Durability::kGrouped}));
    ASSERT_OK_AND_ASSIGN(p_, store_->OpenPartition("p"));
    for (const char* key : {"a", "b", "c"}) ASSERT_OK(store_->commits().CommitPut(p_, key, "v").status());
  }

  const TempDir dir_;
  const fs::path path_ = dir_.File("db");
  std::shared_ptr<Store> store_;
  Partition p_;
};

TEST_F(ForkTest, EachCallInAChildIsAnError) {
  PinnedValue pinned;
  ASSERT_OK(store_->Get(p_, "a", &pinned).status());
  const Snapshot snapshot = store_->GetSnapshot();
  ScanCursor begun = store_->Scan({.partition = p_});
  ASSERT_TRUE(begun.Next());
  ScanCursor merging = store_->Scan({.partition = p_, .reverse = true});
  auto token = store_->commits().BeginWrite();
  ASSERT_OK_AND_ASSIGN(auto entities, (EntityStore<std::string, std::string>::Open(store_, "e")));
  WriteSet writes;
  writes.Put(p_, "k", "v");
  InForkedChild([&] {
    EXPECT_ERROR_HAS(store_->commits().CommitPut(p_, "k", "v"), kRemedy);
    EXPECT_ERROR_HAS(store_->commits().CommitDelete(p_, "a"), kRemedy);
    EXPECT_ERROR_HAS(store_->commits().Commit(writes), kRemedy);
    EXPECT_ERROR_HAS(store_->commits().Commit(writes, {.transaction = token.get()}), kRemedy);
    EXPECT_ERROR_HAS(store_->commits().CheckConflicts(writes, *token), kRemedy);
    EXPECT_ERROR_HAS(store_->commits().CommitClosed({}, [](WriteSet*) { return arrow::Status::OK(); }), kRemedy);
    PinnedValue value;
    EXPECT_ERROR_HAS(store_->Get(p_, "a", &value), kRemedy);
    EXPECT_ERROR_HAS(store_->Get(p_, "a", &value, snapshot), kRemedy);
    EXPECT_ERROR_HAS(store_->OpenPartition("p"), kRemedy);
    EXPECT_ERROR_HAS(store_->OpenPartition("q"), kRemedy);
    for (ScanCursor* cursor : {&begun, &merging}) {
      EXPECT_FALSE(cursor->Next());
      EXPECT_ERROR_HAS(cursor->status(), kRemedy);
      EXPECT_FALSE(cursor->Next());
    }
    ScanCursor fresh = store_->Scan({.partition = p_});
    fresh.Pin();
    EXPECT_FALSE(fresh.Next());
    EXPECT_ERROR_HAS(fresh.status(), kRemedy);
    EXPECT_TRUE(store_->GetSnapshot().is_null());
    const auto begun_here = store_->commits().BeginWrite();
    EXPECT_ERROR_HAS(store_->commits().Commit(writes, {.transaction = begun_here.get()}), kRemedy);
    EXPECT_ERROR_HAS(entities.Put("k", "v"), kRemedy);
    EXPECT_ERROR_HAS(entities.Get("k"), kRemedy);
    for (const auto& entry : entities.ScanIter()) EXPECT_ERROR_HAS(entry.status(), kRemedy);
    EXPECT_ERROR_HAS(store_->FlushMemtables(), kRemedy);
    EXPECT_ERROR_HAS(store_->CompactAll(), kRemedy);
    EXPECT_ERROR_HAS(store_->CompactRange(p_, "a", "b"), kRemedy);
    EXPECT_ERROR_HAS(store_->SyncLog(), kRemedy);
    EXPECT_EQ(store_->ApproximateEntries(p_, {}, {}) + store_->ApproximateBytes(p_, {}, {}), 0u);
    EXPECT_TRUE(store_->SplitPoints(p_, {}, {}, 8).empty());
    EXPECT_TRUE(store_->ListPartitions().empty() && store_->Statistics().empty());
    store_->SetWriteRate(1);
    EXPECT_EQ(store_->path(), fs::canonical(path_));
  });
  EXPECT_OK(store_->commits().Commit(writes, {.transaction = token.get()}).status());
  EXPECT_TRUE(begun.Next() && merging.Next());
}

TEST_F(ForkTest, AChildOpensNothing) {
  InForkedChild([&] {
    EXPECT_ERROR_HAS(Store::Open(path_), kRemedy);
    EXPECT_ERROR_HAS(Store::Open(dir_.File("other")), kRemedy);
    EXPECT_FALSE(fs::exists(dir_.File("other")));
    // Nor does a child of its own.
    InForkedChild([&] { EXPECT_ERROR_HAS(Store::Open(path_), kRemedy); });
    store_.reset();
    EXPECT_ERROR_HAS(Store::Open(path_), kRemedy);
  });
  EXPECT_OK(Store::Open(dir_.File("other")).status());
}

TEST_F(ForkTest, WhatAChildDestroysTouchesNoFile) {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // until all is synced
  for (const ChildEnd end : {ChildEnd::kAtOnce, ChildEnd::kByExit}) {
    const auto before = FilesBelow(path_);
    std::optional<Snapshot> snapshot = store_->GetSnapshot();
    std::optional<ScanCursor> cursor = store_->Scan({.partition = p_});
    ASSERT_TRUE(cursor->Next());
    auto token = store_->commits().BeginWrite();
    std::optional<PinnedValue> pinned(std::in_place);
    ASSERT_OK(store_->Get(p_, "a", &*pinned).status());
    InForkedChild(
        [&] {
          cursor.reset();
          snapshot.reset();
          token.reset();
          pinned.reset();
          store_.reset();
        },
        end);
    EXPECT_EQ(FilesBelow(path_), before);
  }
  EXPECT_OK(store_->commits().CommitPut(p_, "after", "v").status());
}

int registered_late = 0;

TEST_F(ForkTest, ExitInAChildRunsTheHandlersOfTheProgramAndKeepsItsStatus) {
  int ends[2] = {-1, -1};
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    registered_late = ends[1];
    std::atexit([] { (void)!::write(registered_late, "handler", 7); });
    std::exit(23);  // NOLINT(concurrency-mt-unsafe): this process has one thread
  }
  ::close(ends[1]);
  std::array<char, 16> said = {};
  EXPECT_EQ(::read(ends[0], said.data(), said.size()), 7);
  EXPECT_EQ(std::string(said.data()), "handler");
  ::close(ends[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 23);
}

// Without the handlers of fork, as some programs make their children: the page tells.
TEST_F(ForkTest, AChildOfTheBareSystemCallIsTold) {
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr));
  ASSERT_GE(child, 0);
  if (child == 0) ::syscall(SYS_exit_group, HomeProcess::IsHome() ? 1 : 42);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 42);
  EXPECT_TRUE(HomeProcess::IsHome());
}

TEST_F(ForkTest, AChildOfAProcessThatHasClosedWorksWithThreadsOfItsOwn) {
  store_.reset();
  InForkedChild([] {}, ChildEnd::kByExit);
  InForkedChild(
      [&] {
        ASSERT_OK_AND_ASSIGN(auto store,
                             Store::Open(path_, {.durability = Durability::kOs, .write_buffer_bytes = 1 << 20}));
        ASSERT_OK_AND_ASSIGN(const Partition p, store->OpenPartition("p"));
        const std::string value(10'000, 'v');
        // Several memtables: without threads that write them out the commits would stand still.
        for (int i = 0; i < 2000; ++i) ASSERT_OK(store->commits().CommitPut(p, std::to_string(i), value).status());
        ASSERT_OK(store->FlushMemtables());
        ASSERT_OK(store->CompactAll());
        store.reset();
        ASSERT_OK_AND_ASSIGN(store, Store::Open(path_));
        InForkedChild([&] { EXPECT_ERROR_HAS(Store::Open(path_), kRemedy); });
      },
      ChildEnd::kByExit);
  ASSERT_OK_AND_ASSIGN(store_, Store::Open(path_));
  ASSERT_OK_AND_ASSIGN(p_, store_->OpenPartition("p"));
  PinnedValue value;
  ASSERT_OK_AND_ASSIGN(const bool found, store_->Get(p_, "1999", &value));
  EXPECT_TRUE(found);
}

TEST_F(ForkTest, FilesAreNotInheritedByOtherPrograms) {
  size_t files = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry.path(), gone);
    if (gone || !target.string().starts_with(fs::canonical(path_).string())) continue;
    const int fd = std::stoi(entry.path().filename().string());
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << target;
    EXPECT_GT(fd, STDERR_FILENO) << target;
    ++files;
  }
  EXPECT_GT(files, 2u);
}

// Its parent has the store open and waits, as it does.
TEST(ChildProcess, DISABLED_HoldOpenBesideAChild) {
  if (test::ChildPath() == nullptr) GTEST_SKIP();
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(test::ChildPath()));
  const pid_t child = ::fork();
  if (child > 0) test::WriteToParent(std::to_string(child));
  ::pause();
}

TEST_F(ForkTest, AChildKeepsNothingLocked) {
  ChildProcess holder("DISABLED_HoldOpenBesideAChild", dir_.File("held"));
  const std::string child = holder.ReadLine();
  ASSERT_FALSE(child.empty());
  EXPECT_ERROR_HAS(Store::Open(dir_.File("held")), "is locked by process " + std::to_string(holder.pid()));
  holder.Kill();
  EXPECT_OK(Store::Open(dir_.File("held")).status());
  EXPECT_EQ(::kill(std::stoi(child), SIGKILL), 0);
  // Nor after a close.
  InForkedChild([&] {});
  const pid_t waiting = ::fork();
  if (waiting == 0) {
    ::pause();
    ::_exit(0);
  }
  store_.reset();
  ChildProcess other("DISABLED_HoldOpen", path_);
  EXPECT_EQ(other.ReadLine(), "open");
  EXPECT_EQ(::kill(waiting, SIGKILL), 0);
  ::waitpid(waiting, nullptr, 0);
}

}  // namespace
}  // namespace yarrow
