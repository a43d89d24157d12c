// The external sort: order, and what it holds open.
#include "write/row_sorter.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "arrow_assert.h"
#include "random_seed.h"
#include "temp_dir.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;

class RowSorterTest : public testing::Test {
 protected:
  size_t FilesLeft() const {
    if (!fs::exists(dir_.File("sort"))) return 0;
    return static_cast<size_t>(std::distance(fs::directory_iterator(dir_.File("sort")), {}));
  }
  test::TempDir dir_;
};

// More runs than files may be open: they are merged in passes, and rows of one key stay in the order of adding.
TEST_F(RowSorterTest, ManyRunsWithFewOpenFiles) {
  constexpr int kRuns = 150, kRowsARun = 24, kKeys = 50;
  const std::string padding(40'000, 'x');  // so that a few rows fill the smallest buffer
  const auto open = std::distance(fs::directory_iterator("/proc/self/fd"), {});
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{static_cast<rlim_t>(open) + 80, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::mt19937_64 random(test::RandomSeed());
  std::vector<std::pair<std::string, int>> expected;
  {
    RowSorter sorter(dir_.File("sort"), 1);
    for (int i = 0; i < kRuns * kRowsARun; ++i) {
      const std::string key = "key " + std::to_string(random() % kKeys);
      ASSERT_OK(sorter.Add(key, std::to_string(i) + " " + padding));
      expected.emplace_back(key, i);
    }
    std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    EXPECT_GT(FilesLeft(), 100u);
    size_t at = 0;
    ASSERT_OK(sorter.Drain([&](std::string_view key, std::string_view row) {
      EXPECT_EQ(key, expected[at].first);
      EXPECT_EQ(std::stoi(std::string(row.substr(0, 8))), expected[at].second);
      ++at;
      return arrow::Status::OK();
    }));
    EXPECT_EQ(at, expected.size());
  }
  EXPECT_EQ(FilesLeft(), 0u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

// What sorters have in memory and in files, in the order in which they were absorbed, then what is added.
TEST_F(RowSorterTest, AbsorbsOthersInTheirOrder) {
  const std::string padding(300'000, 'x');
  std::mt19937_64 random(test::RandomSeed());
  std::vector<std::pair<std::string, int>> expected;
  RowSorter all(dir_.File("sort"), 1), empty(dir_.File("sort"), 1);
  int rows = 0;
  const auto add = [&](RowSorter* sorter, int count) {
    for (int i = 0; i < count; ++i, ++rows) {
      expected.emplace_back("key " + std::to_string(random() % 7), rows);
      ASSERT_OK(sorter->Add(expected.back().first, std::to_string(rows) + " " + padding));
    }
  };
  add(&all, 5);
  for (const int count : {1, 40, 0, 2, 9}) {
    RowSorter other(dir_.File("sort"), 1);
    add(&other, count);
    if (count % 2 == 0) other.Sort();
    all.Absorb(&other);
    EXPECT_EQ(other.bytes(), 0u);
  }
  all.Absorb(&empty);
  add(&all, 3);
  std::ranges::stable_sort(expected, {}, &std::pair<std::string, int>::first);
  size_t at = 0;
  ASSERT_OK(all.Drain([&](std::string_view key, std::string_view row) {
    EXPECT_EQ(key, expected[at].first);
    EXPECT_EQ(std::stoi(std::string(row.substr(0, 8))), expected[at].second);
    ++at;
    return arrow::Status::OK();
  }));
  EXPECT_EQ(at, expected.size());
}

// Keys that differ in their length, in zeros or far behind what they share: all as bytes compare.
TEST_F(RowSorterTest, SortsKeysOfAnyShape) {
  std::mt19937_64 random(test::RandomSeed());
  const std::string beginnings[] = {"", std::string(8, '\0'), "shared by many keys ", std::string(5000, 'y')};
  std::vector<std::pair<std::string, std::string>> expected;
  RowSorter sorter(dir_.File("sort"), 64 << 20);
  for (int i = 0; i < 20'000; ++i) {
    std::string key = beginnings[random() % 400 == 0 ? 3 : random() % 3];
    const size_t more = random() % 20;
    for (size_t j = 0; j < more; ++j) key.push_back(static_cast<char>(random() % 3 == 0 ? random() % 256 : 0));
    ASSERT_OK(sorter.Add(key, std::to_string(i)));
    expected.emplace_back(key, std::to_string(i));
  }
  std::stable_sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  size_t at = 0;
  ASSERT_OK(sorter.Drain([&](std::string_view key, std::string_view row) {
    EXPECT_EQ(key, expected[at].first);
    EXPECT_EQ(row, expected[at].second);
    ++at;
    return arrow::Status::OK();
  }));
  EXPECT_EQ(at, expected.size());
}

}  // namespace
}  // namespace yarrow
