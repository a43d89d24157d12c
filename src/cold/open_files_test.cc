#include "cold/open_files.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"
#include "store/file_limit.h"
#include "store/system_error.h"
#include "temp_dir.h"

namespace yarrow::cold {
namespace {

using File = std::shared_ptr<arrow::io::RandomAccessFile>;

// Fewer descriptors, for as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t most) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    struct rlimit few = before_;
    few.rlim_cur = most;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  struct rlimit before_ {};
};

class OpenFilesTest : public testing::Test {
 protected:
  std::filesystem::path Make(int number) {
    const std::filesystem::path path = dir_.File("file" + std::to_string(number));
    std::ofstream(path) << "contents of " << number;
    return path;
  }
  static std::string Read(const File& file) {
    const auto bytes = file->ReadAt(12, 100);
    return bytes.ok() ? (*bytes)->ToString() : bytes.status().ToString();
  }

  test::TempDir dir_;
  OpenFiles files_;
};

TEST_F(OpenFilesTest, ManyMoreFilesThanDescriptors) {
  const FewDescriptors few(256);
  std::vector<File> files;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_OK_AND_ASSIGN(auto file, files_.Open(Make(i)));
    files.push_back(std::move(file));
  }
  EXPECT_EQ(files_.idle(), KeptFilesBudget());
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(Read(files[static_cast<size_t>(i)]), std::to_string(i));
  }
  EXPECT_EQ(files_.idle(), KeptFilesBudget());
  files.clear();
  EXPECT_EQ(files_.idle(), 0U);
}

rlim_t HighestDescriptor() {
  rlim_t highest = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    highest = std::max<rlim_t>(highest, std::stoul(entry.path().filename().string()));
  }
  return highest;
}

// Those that are only kept for later are given back when others have taken the rest.
TEST_F(OpenFilesTest, RoomIsMadeWhenNoDescriptorIsLeft) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors to look at types for the first time";
  std::vector<File> files;
  for (int i = 0; i < 20; ++i) {
    ASSERT_OK_AND_ASSIGN(auto file, files_.Open(Make(i)));
    files.push_back(std::move(file));
  }
  const std::filesystem::path one_more = Make(20);
  arrow::Result<File> opened = arrow::Status::UnknownError("not tried");
  {
    const FewDescriptors none(HighestDescriptor());
    opened = files_.Open(one_more);
  }
  ASSERT_OK_AND_ASSIGN(const File file, opened);
  EXPECT_EQ(Read(file), "20");
  EXPECT_EQ(Read(files[0]), "0");
}

TEST_F(OpenFilesTest, ErrorsSayWhatTheSystemSaid) {
  const auto missing = files_.Open(dir_.File("none"));
  ASSERT_FALSE(missing.ok());
  EXPECT_TRUE(missing.status().IsIOError());
  EXPECT_NE(missing.status().message().find("none': No such file or directory"), std::string::npos);
  EXPECT_FALSE(IsWant(missing.status()));
  if (test::kSanitized) return;  // as above
  const std::filesystem::path path = Make(1);
  arrow::Status status;
  {
    const FewDescriptors none(3);
    status = files_.Open(path).status();
  }
  EXPECT_NE(status.message().find("Too many open files"), std::string::npos) << status;
  EXPECT_TRUE(IsWant(status));
}

TEST_F(OpenFilesTest, ParallelReadersOfMoreFilesThanAreKept) {
  const FewDescriptors few(128);
  std::vector<File> files;
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK_AND_ASSIGN(auto file, files_.Open(Make(i)));
    files.push_back(std::move(file));
  }
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        const int number = (i * 7 + t * 13) % 100;
        if (Read(files[static_cast<size_t>(number)]) != std::to_string(number)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace yarrow::cold
