#include "cold/file_system.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>

#include "arrow_assert.h"
#include "cold/sha256.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

TEST(FileSystemTest, FilesAreWrittenRenamedListedReadAndRemoved) {
  const test::TempDir dir;
  FileSystem& files = OsFileSystem();
  ASSERT_OK(CreateFoldersDurably(files, dir.path(), "cold/7"));
  ASSERT_OK(CreateFoldersDurably(files, dir.path(), "cold/7"));
  ASSERT_OK_AND_ASSIGN(auto file, files.Create(dir.File("cold/7/a")));
  ASSERT_OK(file->Append("hello "));
  ASSERT_OK(file->Append("world"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(file->Close());
  ASSERT_OK(files.Rename(dir.File("cold/7/a"), dir.File("cold/7/b")));
  ASSERT_OK(files.SyncFolder(dir.File("cold/7")));
  ASSERT_OK_AND_ASSIGN(const auto names, files.List(dir.File("cold/7")));
  EXPECT_EQ(names, std::vector<std::string>{"b"});
  ASSERT_OK_AND_ASSIGN(const auto reader, files.Open(dir.File("cold/7/b")));
  ASSERT_OK_AND_ASSIGN(const auto bytes, reader->ReadAt(6, 100));
  EXPECT_EQ(bytes->ToString(), "world");
  ASSERT_OK(files.Remove(dir.File("cold/7/b")));
  ASSERT_OK(files.Remove(dir.File("cold/7/b")));
  ASSERT_OK_AND_ASSIGN(const bool exists, files.Exists(dir.File("cold/7/b")));
  EXPECT_FALSE(exists);
}

TEST(FileSystemTest, ErrorsNameThePath) {
  const test::TempDir dir;
  FileSystem& files = OsFileSystem();
  EXPECT_ERROR_HAS(files.Create(dir.File("none/a")), "none/a");
  EXPECT_ERROR_HAS(files.Rename(dir.File("a"), dir.File("b")), "b'");
  EXPECT_ERROR_HAS(files.SyncFolder(dir.File("none")), "none");
  EXPECT_ERROR_HAS(files.List(dir.File("none")), "none");
  EXPECT_ERROR_HAS(files.Open(dir.File("none")), "none");
}

TEST(Sha256Test, KnownDigests) {
  EXPECT_EQ(ToHex(Sha256Of("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 sha256;
  for (int round = 0; round < 2; ++round) {
    sha256.Update("a");
    sha256.Update("bc");
    EXPECT_EQ(ToHex(sha256.Finish()), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }
}

}  // namespace
}  // namespace yarrow::cold
