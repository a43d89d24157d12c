// yarrow_compact, and SQL and API together around compactions.
#include <filesystem>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class CompactFunctionTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("deleted_file_retention", "0"));
    Run("CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR)");
    for (int i = 0; i < 4; ++i) {
      const std::string first = std::to_string(i);
      Run("INSERT INTO t SELECT range, 'name ' || range FROM range(" + first + ", 1000, 4)");
      Run("CALL yarrow_flush('t')");
    }
    ASSERT_OK_AND_ASSIGN(session_, database_->OpenSession());
    ASSERT_OK_AND_ASSIGN(table_, session_->OpenTable("t"));
  }
  size_t Files() const {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_.File("db") / "cold")) {
      files += entry.is_regular_file();
    }
    return files;
  }

  std::shared_ptr<Session> session_;
  std::shared_ptr<Table> table_;
};

TEST_F(CompactFunctionTest, TellsWhatItDid) {
  EXPECT_EQ(Run("SELECT rows, bytes > 1000, files_before, files_after FROM yarrow_compact('t')"), "1000|true|4|1");
  EXPECT_EQ(Run("CALL yarrow_compact('y.main.t')"), "0|0|1|1");
  EXPECT_EQ(Run("SELECT rows, files_after FROM yarrow_compact('t', \"full\" = true, max_segment_rows = 300, "
                "optimize_for = 'lookup')"),
            "1000|4");
  EXPECT_EQ(Run("SELECT count(*), min(id), max(name), sum(id) FROM t"), "1000|0|name 999|499500");
  EXPECT_EQ(Run("SELECT kind, state, rows FROM y.system.jobs ORDER BY job_id DESC LIMIT 1"),
            "compaction|completed|1000");
}

TEST_F(CompactFunctionTest, ErrorsNameFunctionAndArgument) {
  const auto has = [&](const std::string& sql, const std::string& text) {
    EXPECT_NE(Run(sql).find(text), std::string::npos) << Run(sql);
  };
  has("CALL yarrow_compact('nothing')", "nothing");
  has("CALL yarrow_compact(NULL)", "yarrow_compact: the name of the table is NULL");
  has("CALL yarrow_compact('t', optimize_for = 'x')", "yarrow_compact: optimize_for is 'scan' or 'lookup', not 'x'");
  has("CALL yarrow_compact('t', \"full\" = NULL)", "yarrow_compact: full is NULL");
  has("CALL yarrow_compact('t', max_segment_rows = 0)", "max_segment_rows is 0");
  has("CALL yarrow_compact('y.system.tables')", "system.tables");
}

// The same cold row, deleted by one and written by the other, with a compaction between the two.
TEST_F(CompactFunctionTest, DeleteBySqlAndUpsertByApiOfOneColdRow) {
  const std::vector<Value> row = {int64_t{500}, "by API"};
  Run("DELETE FROM t WHERE id = 500");
  Run("CALL yarrow_compact('t')");
  ASSERT_OK(table_->Put(ValueList(row.data(), row.size())));
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "1000");
  EXPECT_EQ(Run("SELECT name FROM t WHERE id = 500"), "by API");
  // The other way round, within transactions that were begun before.
  const auto other = Connect();
  Run(*other, "BEGIN");
  Run(*other, "DELETE FROM t WHERE id = 501");
  Run(*other, "UPDATE t SET name = 'by SQL' WHERE id = 502");
  Run("CALL yarrow_compact('t', \"full\" = true, max_segment_rows = 100)");
  const std::vector<Value> lost = {int64_t{501}, "by API"};
  ASSERT_OK(table_->Put(ValueList(lost.data(), lost.size())));
  EXPECT_NE(Run(*other, "COMMIT").find("key (501)"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "1000");
  EXPECT_EQ(Run("SELECT id, name FROM t WHERE id BETWEEN 499 AND 503 ORDER BY id"),
            "499|name 499\n500|by API\n501|by API\n502|name 502\n503|name 503");
  Run("CALL yarrow_flush('t', compact = true)");
  EXPECT_EQ(Run("SELECT count(*), count(DISTINCT id) FROM t"), "1000|1000");
}

TEST_F(CompactFunctionTest, ATransactionBegunBeforeReadsOnAndCommits) {
  const auto other = Connect();
  Run(*other, "BEGIN");
  EXPECT_EQ(Run(*other, "SELECT sum(id) FROM t"), "499500");
  Run(*other, "UPDATE t SET name = 'updated' WHERE id % 10 = 0");
  Run("DELETE FROM t WHERE id % 10 = 1");
  Run("CALL yarrow_compact('t')");
  Run("CALL yarrow_flush('t')");
  Run("CALL yarrow_compact('t', \"full\" = true)");
  EXPECT_EQ(Run(*other, "SELECT count(*), count(*) FILTER (name = 'updated') FROM t"), "1000|100");
  Run(*other, "DELETE FROM t WHERE id % 10 = 2");
  EXPECT_EQ(Run(*other, "COMMIT"), "");
  EXPECT_EQ(Run("SELECT count(*), count(*) FILTER (name = 'updated') FROM t"), "800|100");
  ASSERT_OK(database_->RemoveDeletedFiles().status());
  EXPECT_EQ(Files(), 1u);
  EXPECT_EQ(Run("SELECT count(*), count(DISTINCT id) FROM t"), "800|800");
}

// A query that has read half of its rows, and a transaction that has a table which another one drops.
TEST_F(CompactFunctionTest, OpenQueriesKeepTheirFiles) {
  auto pending = connection_->SendQuery("SELECT id, name FROM t");
  ASSERT_FALSE(pending->HasError());
  auto chunk = pending->Fetch();
  size_t rows = chunk->size();
  const auto other = Connect();
  EXPECT_EQ(Run(*other, "SELECT files_after FROM yarrow_compact('t')"), "1");
  EXPECT_EQ(Run(*other, "SELECT count(*) FROM t"), "1000");
  while ((chunk = pending->Fetch()) != nullptr) rows += chunk->size();
  EXPECT_EQ(rows, 1000u);
  pending.reset();
  Run(*other, "BEGIN");
  EXPECT_EQ(Run(*other, "SELECT count(*) FROM t"), "1000");
  Run("DROP TABLE t");
  EXPECT_EQ(Run(*other, "SELECT count(*), sum(id) FROM t"), "1000|499500");
  Run(*other, "COMMIT");
  ASSERT_OK(database_->RemoveDeletedFiles().status());
  table_.reset();
  EXPECT_EQ(Files(), 0u);
}

}  // namespace
}  // namespace yarrow::sql
