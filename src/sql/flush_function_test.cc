// yarrow_flush by SQL, whose transaction has a snapshot from before the move.
#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class FlushFunctionTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    ASSERT_OK(database_->SetSetting("rows_to_segment", "0"));
    EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, text VARCHAR)"), "");
    EXPECT_EQ(Run("INSERT INTO t SELECT range, list_aggregate([sha256((range * 10 + i)::VARCHAR) FOR i IN range(4)], "
                  "'string_agg', '') FROM range(100000)"),
              "100000");
    Run("CHECKPOINT y");
    EXPECT_GT(FileBytes(), 8 << 20);
  }
  // Of RocksDB.
  int64_t FileBytes() { return std::stoll(Run("SELECT value FROM y.system.stats WHERE name = 'hot.sst_bytes'")); }
};

TEST_F(FlushFunctionTest, RowsThatMovedAreDroppedAtTheEnd) {
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('t')"), "100000");
  EXPECT_LT(FileBytes(), 1 << 20);
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM t WHERE length(text) = 256"), "100000|4999950000");
}

TEST_F(FlushFunctionTest, ATransactionKeepsTheRowsItSees) {
  Run("BEGIN");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "100000");
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('t')"), "100000");
  EXPECT_GT(FileBytes(), 8 << 20);
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM t WHERE length(text) = 256"), "100000|4999950000");
  EXPECT_EQ(Run("ROLLBACK"), "");
  EXPECT_LT(FileBytes(), 1 << 20);
}

TEST_F(FlushFunctionTest, UsersWithFewRowsAreThoseOfTheTablesOption) {
  ASSERT_OK(Attach(*duckdb_, database_, "ada", {.user = "ada"}));
  EXPECT_EQ(Run("CREATE TABLE ada.main.u (id INT PRIMARY KEY) WITH (kind = 'user', min_user_rows = 10)"), "");
  EXPECT_EQ(Run("INSERT INTO ada.main.u FROM range(9)"), "9");
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('ada.main.u')"), "0");
  EXPECT_EQ(Run("INSERT INTO ada.main.u VALUES (9)"), "1");
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('ada.main.u', min_user_rows := 11)"), "0");
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('ada.main.u')"), "10");
}

TEST_F(FlushFunctionTest, APreparedCallMeansWhatItsNameMeansThen) {
  EXPECT_EQ(Run("PREPARE flush AS SELECT rows FROM yarrow_flush('y.main.t')"), "");
  EXPECT_EQ(Run("PREPARE setting AS SELECT value FROM yarrow_set('background_jobs', '0', database := 'y')"), "");
  EXPECT_EQ(Run("CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY)"), "");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1), (2)"), "2");
  EXPECT_EQ(Run("EXECUTE flush"), "2");
  EXPECT_EQ(Run("EXECUTE setting"), "0");
  const std::string ev =
      "CREATE TABLE ev (id INT PRIMARY KEY, seen_at TIMESTAMP) WITH (ttl_column = 'seen_at', ttl = '1 day')";
  EXPECT_EQ(Run(ev), "");
  EXPECT_EQ(Run("PREPARE expire AS FROM yarrow_expire('y.main.ev')"), "");
  EXPECT_EQ(Run("ALTER TABLE ev RENAME TO kept"), "");
  EXPECT_EQ(Run("INSERT INTO kept VALUES (1, '2000-01-01')"), "1");
  EXPECT_EQ(Run(ev), "");
  EXPECT_EQ(Run("EXECUTE expire"), "0");
  EXPECT_EQ(Run("SELECT count(*) FROM kept"), "1");
  EXPECT_EQ(Run("USE memory"), "");
  EXPECT_EQ(Run("DETACH y"), "");
  EXPECT_NE(Run("EXECUTE flush").find("requires database y"), std::string::npos) << Run("EXECUTE flush");
  EXPECT_NE(Run("EXECUTE setting").find("requires database y"), std::string::npos) << Run("EXECUTE setting");
}

}  // namespace
}  // namespace yarrow::sql
