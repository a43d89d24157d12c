// A segment's file is cut off, has a flipped bit or is gone: whoever needs it gets an error that names it, and all the
// rest of the database goes on.
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tiers_fixture.h"

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

// Rows of three users; the segment of bob is damaged, and all three have work to be done.
class DamagedSegmentOfAUserTest : public test::TiersTest, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    test::TiersTest::SetUp();
    auto spec = test::Spec(
        "log", {test::Column("id", TypeId::kInt64, false), test::Column("at", ColumnType::Timestamp(TimeUnit::kMicro))},
        {"id"}, TableKind::kUser);
    spec.policy = {.ttl_column = "at", .ttl = 60};
    ASSERT_OK(db_->CreateTable(spec).status());
    for (const std::string user : {"ada", "bob", "cy"}) {
      const auto log = OpenTable("log", SessionOf(user).get());
      for (int64_t id = 0; id < 5; ++id) ASSERT_OK(log->Put({id, id < 2 ? int64_t{1'000'000} : int64_t{1} << 55}));
    }
    ASSERT_OK(OpenTable("log")->Flush({.min_user_rows = 0}).status());
    for (const fs::path& file : Files()) {
      if (file.parent_path().filename() != "u-bob") continue;
      const bool is_gone = GetParam();
      is_gone ? (void)fs::remove(file) : Flip(file, 20);
    }
    Reopen();
    for (const std::string user : {"ada", "bob", "cy"}) {
      ASSERT_OK(OpenTable("log", SessionOf(user).get())->Put({int64_t{100}, int64_t{1} << 55}));
    }
    ASSERT_OK(OpenTable("log")->Flush({.min_user_rows = 0}).status());
  }
  size_t FilesOf(const std::string& user) {
    return static_cast<size_t>(std::ranges::count_if(
        Files(), [&](const fs::path& file) { return file.parent_path().filename() == "u-" + user; }));
  }
};

TEST_P(DamagedSegmentOfAUserTest, StopsNobodyElsesCompaction) {
  ASSERT_OK(db_->SetSetting("deleted_file_retention", "0"));
  const arrow::Status status = OpenTable("log")->Compact({.full = true}).status();
  EXPECT_ERROR_HAS(status, "rows of 1 of 3 users of table main.log could not be compacted, those of the others were");
  EXPECT_ERROR_HAS(status, "u-bob");
  ASSERT_OK(db_->RemoveDeletedFiles().status());
  EXPECT_EQ(FilesOf("ada"), 1u);
  EXPECT_EQ(FilesOf("cy"), 1u);
  const arrow::Status of_cy = OpenTable("log", SessionOf("cy").get())->Compact({.full = true}).status();
  EXPECT_EQ(of_cy.message().find("bob"), std::string::npos) << of_cy.ToString();
}

TEST_P(DamagedSegmentOfAUserTest, StopsNobodyElsesExpiry) {
  EXPECT_ERROR_HAS(OpenTable("log")->Expire(), "rows of 1 of 3 users of table main.log could not be expired");
  for (const std::string user : {"ada", "cy"}) {
    EXPECT_EQ(test::ReadTexts(*OpenTable("log", SessionOf(user).get())).ValueOrDie().size(), 4u) << user;
  }
}

INSTANTIATE_TEST_SUITE_P(Damage, DamagedSegmentOfAUserTest, testing::Bool(),
                         [](const auto& test) { return test.param ? "Gone" : "Flipped"; });

}  // namespace
}  // namespace yarrow
