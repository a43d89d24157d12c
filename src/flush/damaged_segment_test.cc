// A segment's file is cut off, has a flipped bit or is gone: whoever needs it gets an error that names it, and all the
// rest of the database goes on.
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "flush/tiers_test.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::Field;
using test::ItemsBatch;
using test::Lit;
using test::Texts;

namespace cp = arrow::compute;

void Flip(const fs::path& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char byte = static_cast<char>(file.get() ^ 16);
  file.seekp(at);
  file.put(byte);
}

class DamagedSegmentTest : public test::TiersTest {
 protected:
  // Segments of the rows 0, 100 and 200 and up in one table, of which the second is damaged; another table beside it.
  void DamageTheSecond(const std::function<void(const fs::path& path)>& damage) {
    const auto items = Create(test::ItemsSpec());
    for (int64_t first = 0; first < 300; first += 100) {
      ASSERT_OK(items->Write(*ItemsBatch(first, 100)));
      ASSERT_OK(items->Flush().status());
    }
    damaged_ = Files().at(1);
    const auto others = Create(test::ItemsSpec("others"));
    ASSERT_OK(others->Write(*ItemsBatch(0, 30)));
    ASSERT_OK(others->Flush().status());
    damage(damaged_);
  }
  arrow::Result<Texts> Scan(int64_t from, int64_t to) {
    return test::ReadTexts(*OpenTable("items"), {.filter = cp::and_(cp::greater_equal(Field("id"), Lit(from)),
                                                                    cp::less(Field("id"), Lit(to)))});
  }
  void CheckTheRest() {
    Reopen();
    const std::string name = damaged_.string();
    const auto items = OpenTable("items");
    // Who needs the segment.
    EXPECT_ERROR_HAS(test::ReadTexts(*items), name);
    EXPECT_ERROR_HAS(test::ReadTexts(*items, {.reverse = true, .threads = 2}), name);
    EXPECT_ERROR_HAS(Scan(150, 151), name);
    EXPECT_ERROR_HAS(items->Get({Value(int64_t{150})}), name);
    EXPECT_ERROR_HAS(Delete(*items, 150), name);
    EXPECT_ERROR_HAS(items->Insert({int64_t{150}, int64_t{1}, "again", 0.5}), name);
    EXPECT_ERROR_HAS(items->Compact({.full = true}), name);
    // Who does not.
    EXPECT_EQ(Scan(0, 100).ValueOrDie().size(), 100u);
    EXPECT_EQ(Scan(200, 300).ValueOrDie(), test::TextsOf(*ItemsBatch(200, 100)));
    EXPECT_EQ(test::TextOf(items->Get({Value(int64_t{250})})), test::TextsOf(*ItemsBatch(250, 1))[0]);
    EXPECT_TRUE(Delete(*items, 250).ValueOrDie());
    ASSERT_OK(items->Put({int64_t{50}, int64_t{1}, "new", 0.5}));
    ASSERT_OK(items->Insert({int64_t{5000}, int64_t{1}, "new", 0.5}));
    ASSERT_OK(items->Flush().status());
    EXPECT_EQ(test::TextOf(items->Get({Value(int64_t{50})})), "50|1|new|0.5");
    EXPECT_EQ(Scan(200, 9999).ValueOrDie().size(), 100u);
    const auto others = OpenTable("others");
    EXPECT_EQ(test::ReadTexts(*others).ValueOrDie(), test::TextsOf(*ItemsBatch(0, 30)));
    ASSERT_OK(others->Write(*ItemsBatch(30, 30)));
    ASSERT_OK(others->Flush().status());
    ASSERT_OK(others->Compact({.full = true}).status());
    EXPECT_EQ(test::ReadTexts(*others).ValueOrDie(), test::TextsOf(*ItemsBatch(0, 60)));
    // Who is to tell of it, and the way out when there is no copy.
    ASSERT_OK_AND_ASSIGN(const CheckReport report, db_->Check());
    ASSERT_FALSE(report.problems.empty());
    for (const std::string& problem : report.problems) EXPECT_NE(problem.find(name), std::string::npos) << problem;
    ASSERT_OK(db_->DropTable("items"));
    EXPECT_EQ(db_->Check().ValueOrDie().problems, Texts());
  }

  fs::path damaged_;
};

TEST_F(DamagedSegmentTest, CutOff) {
  DamageTheSecond([](const fs::path& path) { fs::resize_file(path, fs::file_size(path) / 2); });
  CheckTheRest();
}

TEST_F(DamagedSegmentTest, AFlippedBitOfARow) {
  DamageTheSecond([](const fs::path& path) { Flip(path, 40); });
  CheckTheRest();
}

TEST_F(DamagedSegmentTest, AFlippedBitOfTheFooter) {
  DamageTheSecond([](const fs::path& path) { Flip(path, static_cast<int64_t>(fs::file_size(path)) - 40); });
  CheckTheRest();
}

TEST_F(DamagedSegmentTest, Gone) {
  DamageTheSecond([](const fs::path& path) { fs::remove(path); });
  CheckTheRest();
}

}  // namespace
}  // namespace yarrow
