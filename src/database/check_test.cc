// Database::Check finds what is wrong, and nothing where all is well; system.segments tells of what there is.
#include <filesystem>
#include <fstream>

#include "cold/manifest_entry.h"
#include "cold/segment_key.h"
#include "database_fixture.h"
#include "key/record_key.h"
#include "store/store_commits.h"
#include "store/system_partition.h"

namespace yarrow {
namespace {

namespace fs = std::filesystem;
using test::Texts;

class CheckTest : public test::DatabaseTest {
 protected:
  // Two segments of 500 rows, two of them overridden, and hot rows.
  std::shared_ptr<Table> CreateTiers() {
    auto items = CreateItems(1000);
    EXPECT_OK(items->Flush({.max_segment_rows = 500}).status());
    EXPECT_OK(items->Delete({{Value(int64_t{3})}}).status());
    EXPECT_OK(items->Put(test::List({int64_t{4}, int64_t{1}, "changed", 0.5})));
    EXPECT_OK(items->Put(test::List({int64_t{5000}, int64_t{1}, "new", 0.5})));
    return items;
  }
  Texts Problems() {
    const auto report = db_->Check();
    EXPECT_OK(report.status());
    return report.ok() ? report->problems : Texts{report.status().ToString()};
  }
  // Writes past everything that keeps the tiers in order.
  void Write(const std::string& key, const std::string& value) {
    WriteSet writes;
    ASSERT_OK_AND_ASSIGN(const Partition rows, OpenSystemPartition(*db_->store(), "rows"));
    writes.Put(rows, key, value);
    ASSERT_OK(db_->store()->commits().Commit(writes, {}).status());
  }
  fs::path FirstFile() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.File("db") / "cold")) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files.front();
  }
};

TEST_F(CheckTest, AllIsWell) {
  CreateTiers();
  ASSERT_OK_AND_ASSIGN(const CheckReport report, db_->Check());
  EXPECT_EQ(report.problems, Texts());
  ASSERT_EQ(report.tables.size(), 1u);
  EXPECT_EQ(report.tables[0].name, "main.items");
  EXPECT_EQ(report.tables[0].rows, 1000u);
  EXPECT_EQ(report.tables[0].segments, 2u);
  EXPECT_GT(report.tables[0].files_bytes, 1000u);
  DatabaseCheckOptions stop;
  stop.on_progress = [](const std::string&, uint64_t) { return arrow::Status::Cancelled("enough"); };
  EXPECT_TRUE(db_->Check(stop).status().IsCancelled());
}

TEST_F(CheckTest, ADamagedAndAMissingFile) {
  CreateTiers();
  const fs::path path = FirstFile();
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(100);
    const char byte = static_cast<char>(file.get() ^ 4);
    file.seekp(100);
    file.put(byte);
  }
  Texts problems = Problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("table main.items: segment"), std::string::npos) << problems[0];
  EXPECT_NE(problems[0].find(path.string()), std::string::npos) << problems[0];
  Reopen();
  fs::remove(path);
  problems = Problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find(path.string()), std::string::npos) << problems[0];
}

TEST_F(CheckTest, ARowInBothTiers) {
  const auto items = CreateTiers();
  ASSERT_OK_AND_ASSIGN(const auto row, items->Get({{Value(int64_t{4})}}));
  std::string key(row->encoded_key());
  ++key.back();  // id 5, which is in a segment
  Write(key, std::string(row->encoded_row()));
  const Texts problems = Problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("is there twice"), std::string::npos) << problems[0];
}

TEST_F(CheckTest, RowsThatCannotBeRead) {
  const auto items = CreateTiers();
  ASSERT_OK_AND_ASSIGN(const auto row, items->Get({{Value(int64_t{5000})}}));
  Write(std::string(row->encoded_key()), std::string(row->encoded_row().substr(0, 12)));
  const Texts problems = Problems();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_NE(problems[0].find("table main.items"), std::string::npos) << problems[0];
}

TEST_F(CheckTest, OverridesAndFiltersThatFitNothing) {
  CreateTiers();
  const uint32_t id = (*db_->FindTable("items"))->id;
  Write(cold::EncodeOverrideKey({id, 77, 1}), "");
  ASSERT_EQ(Problems().size(), 1u);
  EXPECT_NE(Problems()[0].find("overrides of segment 77"), std::string::npos);
  Write(cold::EncodeOverrideKey({id, 1, 500}), "");
  Write(cold::EncodeKeyFilterKey(id, 1), "not a filter");
  Write(cold::EncodeKeyFilterKey(id, 78), "");
  Write(cold::EncodeOverrideKey({id, 77, 2}), "");
  const Texts problems = Problems();
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_NE(problems[2].find("a key filter of segment 78"), std::string::npos) << problems[2];
}

TEST_F(CheckTest, SegmentsAreListed) {
  CreateTiers();
  const auto segments = OpenTable("system.segments");
  const ScanOptions figures = {
      .columns = {{"segment_id", "user_id", "level", "rows", "dropped_rows", "row_groups", "optimized_for"}}};
  EXPECT_EQ(test::ReadTexts(*segments, figures).ValueOrDie(),
            Texts({"1|null|0|500|2|1|scan", "2|null|0|500|0|1|scan"}));
  const uint32_t id = (*db_->FindTable("items"))->id;
  const std::string row = test::TextOf(segments->Get({Value(id), Value(uint64_t{2})}));
  EXPECT_NE(row.find("cold/"), std::string::npos) << row;
  EXPECT_EQ(test::TextOf(segments->Get({Value(id), Value(uint64_t{9})})), "none");
  const Snapshot before = db_->GetSnapshot();
  ASSERT_OK(OpenTable("items")->Flush().status());
  EXPECT_EQ(test::ReadTexts(*segments, figures).ValueOrDie().size(), 3u);
  ScanOptions old = figures;
  old.snapshot = before;
  EXPECT_EQ(test::ReadTexts(*segments, old).ValueOrDie().size(), 2u);
}

}  // namespace
}  // namespace yarrow
