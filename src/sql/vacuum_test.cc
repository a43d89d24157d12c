// VACUUM, ANALYZE and CHECKPOINT give room back and change no row.
#include <gtest/gtest.h>

#include <string>

#include <algorithm>
#include <filesystem>
#include "key/key_range.h"
#include "key/record_key.h"

#include "sql_fixture.h"
#include "table/database_impl.h"

namespace yarrow::sql {
namespace {

class VacuumTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    ASSERT_OK(database_->SetSetting("rows_to_segment", "0"));
    ASSERT_OK(database_->SetSetting("deleted_file_retention", "0"));
  }
  // Of RocksDB, with what was in memory.
  int64_t HotBytes() {
    Run("CHECKPOINT y");
    return std::stoll(Run("SELECT value FROM y.system.stats WHERE name = 'hot.sst_bytes'"));
  }
  int64_t SegmentFiles() {
    const std::filesystem::recursive_directory_iterator all(dir_.File("db/cold"));
    return std::ranges::count_if(all, [](const auto& entry) { return entry.is_regular_file(); });
  }
  void MakeRows(const std::string& table) {
    Run("CREATE TABLE " + table + " (id BIGINT PRIMARY KEY, name VARCHAR)");
    Run("INSERT INTO " + table + " SELECT i, md5(i::VARCHAR) FROM range(50000) r(i)");
  }
};

TEST_F(VacuumTest, DeletedRowsTakeNoRoom) {
  MakeRows("t");
  const int64_t before = HotBytes();
  EXPECT_EQ(Run("DELETE FROM t WHERE id >= 100"), "49900");
  EXPECT_GT(HotBytes(), before / 4);
  EXPECT_EQ(Run("VACUUM t"), "");
  EXPECT_LT(HotBytes(), before / 20);
  EXPECT_EQ(Run("SELECT count(*), min(id), max(id) FROM t"), "100|0|99");
}

TEST_F(VacuumTest, DroppedTablesTakeNoRoom) {
  MakeRows("t");
  MakeRows("u");
  const int64_t before = HotBytes();
  Run("DROP TABLE t");
  EXPECT_EQ(Run("VACUUM"), "");
  EXPECT_LT(HotBytes(), before * 3 / 4);
}

TEST_F(VacuumTest, SegmentsAreMerged) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)");
  for (int i = 0; i < 6; ++i) {
    Run("INSERT INTO t SELECT i * 6 + " + std::to_string(i) + ", 'x' FROM range(100) r(i)");
    Run("CALL yarrow_flush('t')");
  }
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.segments"), "6");
  EXPECT_EQ(Run("VACUUM main.t"), "");
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.segments"), "1");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "600");
  Run("DELETE FROM t WHERE id % 2 = 0");
  const std::string rows = Run("SELECT count(*), sum(id) FROM t");
  EXPECT_EQ(Run("VACUUM ANALYZE t (name)"), "");
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM t"), rows);
  EXPECT_EQ(Run("SELECT sum(rows) || ' ' || sum(dropped_rows) FROM y.system.segments"), "300 0");
}

// What an older snapshot sees stays until it is gone.
TEST_F(VacuumTest, OlderSnapshotsKeepTheirRows) {
  MakeRows("t");
  const int64_t before = HotBytes();
  const auto other = Connect();
  Run(*other, "BEGIN");
  EXPECT_EQ(Run(*other, "SELECT count(*) FROM t"), "50000");
  Run("DELETE FROM t");
  EXPECT_EQ(Run("VACUUM t"), "");
  EXPECT_EQ(Run(*other, "SELECT count(*), sum(id) FROM t"), "50000|1249975000");
  Run(*other, "COMMIT");
  EXPECT_EQ(Run("VACUUM t"), "");
  EXPECT_LT(HotBytes(), before / 20);
}

TEST_F(VacuumTest, InATransaction) {
  MakeRows("t");
  Run("BEGIN");
  Run("DELETE FROM t WHERE id > 10");
  EXPECT_EQ(Run("VACUUM t"), "");
  EXPECT_EQ(Run("VACUUM"), "");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "11");
  Run("ROLLBACK");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "50000");
}

TEST_F(VacuumTest, AnalyzeHasNothingToDo) {
  MakeRows("t");
  EXPECT_EQ(Run("ANALYZE t"), "");
  EXPECT_EQ(Run("ANALYZE t (id)"), "");
  EXPECT_EQ(Run("ANALYZE"), "");
}

TEST_F(VacuumTest, BadInputIsNamed) {
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY)");
  EXPECT_NE(Run("VACUUM t (nothing)").find("nothing"), std::string::npos);
  EXPECT_NE(Run("VACUUM missing").find("missing"), std::string::npos);
  EXPECT_NE(Run("VACUUM y.system.tables").find("system.tables"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");  // the session goes on
}

TEST_F(VacuumTest, TablesOfDuckDbAreDuckDbs) {
  Run("CREATE TABLE memory.main.d AS SELECT 1 AS a");
  EXPECT_EQ(Run("VACUUM memory.main.d"), "");
  EXPECT_EQ(Run("ANALYZE memory.main.d"), "");
  Run("USE memory");
  EXPECT_EQ(Run("VACUUM"), "");
}

TEST_F(VacuumTest, CheckpointRemovesFiles) {
  MakeRows("t");
  Run("CALL yarrow_flush('t')");
  ASSERT_OK(database_->SetSetting("deleted_file_retention", "100000"));
  Run("DROP TABLE t");
  EXPECT_EQ(SegmentFiles(), 1);
  EXPECT_EQ(Run("CHECKPOINT y"), "");
  EXPECT_EQ(SegmentFiles(), 1);  // for programs that may be reading it
  ASSERT_OK(database_->SetSetting("deleted_file_retention", "0"));
  EXPECT_EQ(Run("CHECKPOINT y"), "");
  EXPECT_EQ(SegmentFiles(), 0);
}

}  // namespace
}  // namespace yarrow::sql
