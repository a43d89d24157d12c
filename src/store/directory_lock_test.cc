// Who is kept out of a database that is open, and of one that cannot be written.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <utility>

#include "arrow_assert.h"
#include "child_process.h"
#include "forked.h"
#include "store/store_env.h"
#include "store/store_impl.h"
#include "temp_dir.h"
#include "yarrow/store.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::ChildProcess;
using test::InForkedChild;
using test::TempDir;

std::string TextOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void MakeEmptyDatabase(const fs::path& path) {
  ASSERT_OK(Store::Open(path).status());
}

// For its life, this process is one of a user without special rights.
class AsNobody {
 public:
  AsNobody() { EXPECT_EQ(was_root_ ? ::seteuid(kNobody) : 0, 0); }
  ~AsNobody() { EXPECT_EQ(was_root_ ? ::seteuid(0) : 0, 0); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  static constexpr uid_t kNobody = 65534;
  const bool was_root_ = ::geteuid() == 0;
};

TEST(DirectoryLock, DeletedFilesLetNobodyIn) {
  const TempDir dir;
  const fs::path path = dir.File("db");
  ChildProcess holder("DISABLED_HoldOpen", path);
  ASSERT_EQ(holder.ReadLine(), "open");
  const std::string locked = "is locked by process " + std::to_string(holder.pid());
  fs::remove(path / "hot" / "LOCK");
  EXPECT_ERROR_HAS(Store::Open(path), locked);
  const std::string marker = TextOf(path / "YARROW");
  fs::remove(path / "YARROW");
  EXPECT_ERROR_HAS(Store::Open(path), locked);
  // Another file of the same text.
  std::ofstream(path / "YARROW", std::ios::binary) << marker;
  EXPECT_ERROR_HAS(Store::Open(path), locked);
  holder.Kill();
  EXPECT_OK(Store::Open(path).status());
}

// As on file systems that do not lock directories.
TEST(DirectoryLock, TheMarkerIsLockedToo) {
  const TempDir dir;
  const fs::path path = dir.File("db");
  MakeEmptyDatabase(path);
  const int fd = ::open((path / "YARROW").c_str(), O_RDWR | O_CLOEXEC);
  DirectoryLock lock;
  ASSERT_OK(lock.TakeMarker(path, fd));
  fs::remove(path / "hot" / "LOCK");
  EXPECT_ERROR_HAS(Store::Open(path), "is locked by another process");
  lock.Release();
  EXPECT_OK(Store::Open(path).status());
  // The one that was made with it, under another name then, is the same.
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(dir.File("new")));
  EXPECT_ERROR_HAS(lock.TakeMarker(path, ::open((dir.File("new") / "YARROW").c_str(), O_RDWR | O_CLOEXEC)),
                   "is locked");
}

TEST(DirectoryLock, NorIsASecondOpenInThisProcess) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(dir.File("db")));
  fs::remove(dir.File("db") / "hot" / "LOCK");
  // Past the registry, as another copy of the library is.
  EXPECT_ERROR_HAS(OpenStoreOn(StoreEnv(), dir.File("db"), {}), "is open in this process already");
}

TEST(DirectoryLock, AMountUnderAnotherNameIsTheSameDirectory) {
  const TempDir dir;
  fs::create_directory(dir.File("db"));
  fs::create_directory(dir.File("mount"));
  if (::mount(dir.File("db").c_str(), dir.File("mount").c_str(), nullptr, MS_BIND, nullptr) != 0) {
    GTEST_SKIP() << "no right to mount";
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto store, Store::Open(dir.File("db")));
    ASSERT_OK_AND_ASSIGN(const auto mounted, Store::Open(dir.File("mount")));
    EXPECT_EQ(store, mounted);
  }
  ChildProcess holder("DISABLED_HoldOpen", dir.File("mount"));
  EXPECT_EQ(holder.ReadLine(), "open");
  EXPECT_ERROR_HAS(Store::Open(dir.File("db")), "is locked by process " + std::to_string(holder.pid()));
  holder.Kill();
  EXPECT_EQ(::umount2(dir.File("mount").c_str(), MNT_DETACH), 0);
}

TEST(DirectoryLock, AnotherDirectoryInItsPlaceIsAnother) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(auto store, Store::Open(dir.File("db")));
  fs::rename(dir.File("db"), dir.File("elsewhere"));
  EXPECT_ERROR_HAS(Store::Open(dir.File("db")), "was moved or removed");
  fs::create_directory(dir.File("db"));
  EXPECT_ERROR_HAS(Store::Open(dir.File("db")), "was moved or removed");
  ASSERT_OK_AND_ASSIGN(const auto moved, Store::Open(dir.File("elsewhere")));
  EXPECT_EQ(moved, store);
}

TEST(DirectoryLock, WithoutPermissionSaysSo) {
  const TempDir dir;
  fs::permissions(dir.path(), fs::perms::all);
  const fs::path path = dir.File("db");
  MakeEmptyDatabase(path);
  const auto refused = [&](const fs::path& entry, fs::perms perms) {
    SCOPED_TRACE(entry);
    const fs::perms before = fs::status(entry).permissions();
    fs::permissions(entry, perms);
    {
      const AsNobody nobody;
      const auto opened = Store::Open(path);
      EXPECT_ERROR_HAS(opened, "no permission to open the database at '" + path.string());
      EXPECT_ERROR_HAS(opened, "change owner or permissions");
      EXPECT_EQ(opened.status().message().find("damaged"), std::string::npos) << opened.status().ToString();
    }
    fs::permissions(entry, before);
  };
  // All but the entry in question may be written by everybody.
  for (const auto& entry : fs::recursive_directory_iterator(path)) fs::permissions(entry, fs::perms::all);
  fs::permissions(path, fs::perms::all);
  const fs::perms read_only = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
  const fs::perms read_only_folder = read_only | fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
  refused(path, read_only_folder);
  refused(path, fs::perms::none);
  refused(path / "hot", read_only_folder);
  refused(path / "YARROW", read_only);
  refused(path / "YARROW", fs::perms::none);
  refused(path / "hot" / "CURRENT", fs::perms::none);
  {
    const AsNobody nobody;
    EXPECT_OK(Store::Open(path).status());
  }
}

TEST(DirectoryLock, AReadOnlyFileSystemIsNamed) {
  const TempDir dir;
  const fs::path path = dir.File("mount") / "db";
  fs::create_directory(dir.File("mount"));
  if (::mount("none", dir.File("mount").c_str(), "tmpfs", 0, nullptr) != 0) GTEST_SKIP() << "no right to mount";
  MakeEmptyDatabase(path);
  EXPECT_EQ(::mount(nullptr, dir.File("mount").c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const auto opened = Store::Open(path);
  EXPECT_ERROR_HAS(opened, "is on a read-only file system");
  EXPECT_ERROR_HAS(opened, "open a copy elsewhere");
  EXPECT_EQ(::umount2(dir.File("mount").c_str(), MNT_DETACH), 0);
}

// What a program prints with its output closed must not end up in a file of the database.
TEST(StandardDescriptors, NoFileGetsOne) {
  const TempDir dir;
  InForkedChild([&] {
    const int stderr_copy = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);
    const auto opened = Store::Open(dir.File("db"));
    std::array<std::string, 3> names;
    for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
      std::error_code error;
      names[fd] = fs::read_symlink("/proc/self/fd/" + std::to_string(fd), error).string();
    }
    const ssize_t written = ::write(STDOUT_FILENO, "row\n", 4);
    const int reason = errno;
    ::dup2(stderr_copy, STDERR_FILENO);
    EXPECT_OK(opened.status());
    for (const std::string& name : names) EXPECT_EQ(name, "/dev/null");
    EXPECT_EQ(written, -1);
    EXPECT_EQ(reason, EBADF);
  });
}

}  // namespace
}  // namespace yarrow
