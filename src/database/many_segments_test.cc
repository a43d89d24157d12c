// Tables with more segments than the process may open files.
#include <sys/resource.h>

#include <string>

#include "database/check.h"
#include "database/open_database.h"
#include "random_seed.h"
#include "store/system_error.h"
#include "tiers_fixture.h"

namespace yarrow {
namespace {

using test::List;
using test::ReadTexts;
using test::Texts;

class ManySegmentsTest : public test::TiersTest {
 protected:
  static constexpr rlim_t kDescriptors = 128;
  static constexpr int64_t kRows = 900;

  void SetUp() override {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    TiersTest::SetUp();
  }
  void TearDown() override { ::setrlimit(RLIMIT_NOFILE, &before_); }
  void LimitDescriptors(rlim_t most) {
    struct rlimit few = before_;
    few.rlim_cur = most;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  }
  void ExpectSound() {
    const auto report = CheckDatabase(ImplOf(*db_), {});
    ASSERT_OK(report.status());
    EXPECT_EQ(report->problems, std::vector<std::string>());
  }
  // All that reads segments, before and after some rows were changed, and all of them merged.
  void ExpectAnswers(Table& items, const Texts& before) {
    EXPECT_EQ(Answers(items), before);
    ExpectSound();
    for (int64_t id = 0; id < kRows; id += 10) ASSERT_OK(items.Put(List(Item(id, "changed"))));
    const Texts changed = Answers(items);
    EXPECT_NE(changed, before);
    ASSERT_OK(items.Flush({.max_segment_rows = 3}).status());
    EXPECT_EQ(Answers(items), changed);
    ASSERT_OK(items.Compact({.full = true}).status());
    EXPECT_EQ(Answers(items), changed);
    ExpectSound();
  }

 private:
  struct rlimit before_ {};
};

TEST_F(ManySegmentsTest, OneBehindTheOther) {
  const auto items = CreateItems(kRows);
  const Texts before = Answers(*items);
  LimitDescriptors(kDescriptors);
  ASSERT_OK(items->Flush({.max_segment_rows = 3}).status());
  ASSERT_EQ(Files().size(), size_t{kRows / 3});
  ExpectAnswers(*items, before);
}

// A walk in key order has all of them at hand at once.
TEST_F(ManySegmentsTest, EachWithKeysFromEverywhere) {
  constexpr int64_t kSegments = 150;
  LimitDescriptors(kDescriptors);
  const auto items = Create(test::ItemsSpec("items"));
  const auto all = Create(test::ItemsSpec("all"));
  for (int64_t id = 0; id < kRows; ++id) ASSERT_OK(all->Put(List(Item(id, "row"))));
  for (int64_t segment = 0; segment < kSegments; ++segment) {
    for (int64_t id = segment; id < kRows; id += kSegments) ASSERT_OK(items->Put(List(Item(id, "row"))));
    ASSERT_OK(items->Flush().status());
  }
  ASSERT_EQ(Files().size(), size_t{kSegments});
  ExpectAnswers(*items, Answers(*all));
}

TEST_F(ManySegmentsTest, WantOfDescriptorsIsNoDamage) {
  if (test::kSanitized) GTEST_SKIP() << "a sanitizer needs descriptors to look at types for the first time";
  const auto items = CreateItems(kRows);
  ASSERT_OK(items->Flush({.max_segment_rows = 300}).status());
  LimitDescriptors(3);  // those that are open stay
  const auto report = CheckDatabase(ImplOf(*db_), {});
  const auto rows = ReadTexts(*items, {});
  LimitDescriptors(1024);
  ASSERT_FALSE(report.ok());
  EXPECT_TRUE(IsWant(report.status())) << report.status();
  EXPECT_NE(report.status().message().find("Too many open files"), std::string::npos) << report.status();
  EXPECT_EQ(report.status().message().find("restore"), std::string::npos) << report.status();
  ASSERT_FALSE(rows.ok());
  EXPECT_TRUE(IsWant(rows.status())) << rows.status();
  ExpectSound();
}

}  // namespace
}  // namespace yarrow
