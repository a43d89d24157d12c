// Statements of many rows write segments themselves: what the transaction, others and the disk see of them.
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class NewSegmentsTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    ASSERT_OK(database_->SetSetting("rows_to_segment", "100"));
    EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, s VARCHAR)"), "");
  }
  // Segments in the manifest, and files.
  std::string Segments() { return Run("SELECT count(*), coalesce(sum(rows), 0) FROM y.system.segments"); }
  size_t Files() const {
    const std::filesystem::path folder = database_->store()->path() / "cold";
    if (!std::filesystem::exists(folder)) return 0;
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) files += entry.is_regular_file();
    return files;
  }
  // The rows in all the ways that a scan can take.
  std::string Rows(const std::string& table = "t") {
    return Run("SELECT count(*), sum(id), sum(v), min(s), max(s) FROM " + table) + " " +
           Run("SELECT count(*), sum(id) FROM (SELECT id FROM " + table + " ORDER BY id DESC LIMIT 50)") + " " +
           Run("SELECT count(*), sum(v) FROM " + table + " WHERE id IN (3, 77, 150, 299, 300, 777)") + " " +
           Run("SELECT count(*), sum(v) FROM " + table + " WHERE id BETWEEN 70 AND 80 AND v % 2 = 1");
  }
  static std::string Insert(int from, int to) {
    return "INSERT INTO t SELECT i, i * 2, 'row ' || i FROM range(" + std::to_string(from) + ", " + std::to_string(to) +
           ") r(i)";
  }
};

TEST_F(NewSegmentsTest, ManyRowsGoToSegmentsAndFewDoNot) {
  EXPECT_EQ(Run(Insert(0, 99)), "99");
  EXPECT_EQ(Segments(), "0|0");
  EXPECT_EQ(Run(Insert(99, 199)), "100");
  EXPECT_EQ(Segments(), "1|100");
  EXPECT_EQ(Run("CREATE TABLE made AS SELECT i AS id, i AS v, 's' AS s FROM range(250) r(i)"), "250");
  EXPECT_EQ(Segments(), "2|350");
  EXPECT_EQ(Run("SELECT count(*), sum(v) FROM made"), "250|31125");
  EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t"), "199|39402");
  EXPECT_TRUE(database_->Check().ValueOrDie().problems.empty());
}

TEST_F(NewSegmentsTest, ATransactionReadsAndChangesItsOwn) {
  EXPECT_EQ(Run("CREATE TABLE hot (id BIGINT PRIMARY KEY, v BIGINT, s VARCHAR)"), "");
  std::vector<std::string> both;
  for (const std::string table : {"hot", "t"}) {
    ASSERT_OK(database_->SetSetting("rows_to_segment", table == "t" ? "100" : "0"));
    std::string& answers = both.emplace_back();
    const auto step = [&](const std::string& sql) {
      std::string of_table = sql;
      for (size_t at = 0; (at = of_table.find(" t ", at)) != std::string::npos; at += table.size()) {
        of_table.replace(at + 1, 1, table);
      }
      answers += Run(of_table) + "\n";
      answers += Rows(table) + "\n";
    };
    Run("BEGIN");
    step("INSERT INTO t SELECT i, i * 2, 'row ' || i FROM range(300) r(i)");
    step("UPDATE t SET v = -1 WHERE id = 77");
    step("UPDATE t SET v = v + 1, s = 'changed' WHERE id % 3 = 0");
    step("DELETE FROM t WHERE id = 150");
    step("DELETE FROM t WHERE id BETWEEN 60 AND 200");
    step("INSERT INTO t SELECT i, i, 'again' FROM range(70, 190) r(i)");
    step("UPDATE t SET id = id + 1000 WHERE id >= 250");
    step("INSERT INTO t SELECT i, i, 'third' FROM range(250, 300) r(i)");
    step("INSERT INTO t VALUES (77, 1, 'upsert'), (777, 1, 'upsert') ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v");
    step("COMMIT");
    step("DELETE FROM t WHERE id % 2 = 0");
  }
  EXPECT_EQ(both[0], both[1]);
  EXPECT_TRUE(database_->Check().ValueOrDie().problems.empty());
}

TEST_F(NewSegmentsTest, ARowThatWasHotIsDeletedTwice) {
  for (const bool many : {true, false}) {
    Run("DELETE FROM t");
    EXPECT_EQ(Run("INSERT INTO t SELECT i, 1, 'hot' FROM range(90) r(i)"), "90");
    Run("BEGIN");
    EXPECT_EQ(Run("DELETE FROM t"), "90");
    EXPECT_EQ(Run(Insert(0, 200)), "200");
    EXPECT_EQ(Run(many ? "DELETE FROM t WHERE id < 80" : "DELETE FROM t WHERE id = 7"), many ? "80" : "1");
    const std::string rows = Rows();
    Run("COMMIT");
    EXPECT_EQ(Rows(), rows);
    EXPECT_EQ(Run("SELECT count(*) FROM t WHERE s = 'hot'"), "0");
    EXPECT_EQ(Run("SELECT count(*) FROM t"), many ? "120" : "199");
  }
  EXPECT_TRUE(database_->Check().ValueOrDie().problems.empty());
}

TEST_F(NewSegmentsTest, AllRowsThatMovedToOtherKeysAreDeleted) {
  EXPECT_EQ(Run("INSERT INTO t SELECT i, 1, 'hot' FROM range(99) r(i)"), "99");
  ASSERT_OK(database_->SetSetting("rows_to_segment", "50"));
  Run("BEGIN");
  EXPECT_EQ(Run("UPDATE t SET id = id + 1"), "99");
  EXPECT_EQ(Run("DELETE FROM t"), "99");
  Run("COMMIT");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

TEST_F(NewSegmentsTest, RollingBackLeavesNoFile) {
  Run("BEGIN");
  EXPECT_EQ(Run(Insert(0, 1000)), "1000");
  EXPECT_EQ(Run("CREATE TABLE made AS FROM t"), "1000");
  EXPECT_EQ(Files(), 2u);
  EXPECT_EQ(Segments(), "0|0") << "they are nobody else's";
  Run("ROLLBACK");
  EXPECT_EQ(Files(), 0u);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
  // A key that is there, found at the end.
  EXPECT_EQ(Run("INSERT INTO t VALUES (999, 0, 'there')"), "1");
  EXPECT_NE(Run(Insert(0, 1000)).find("999"), std::string::npos);
  EXPECT_EQ(Files(), 0u);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "1");
  // One that comes twice.
  EXPECT_NE(Run("INSERT INTO t SELECT i % 500, i, '' FROM range(1000) r(i)").find("two of the rows"),
            std::string::npos);
  EXPECT_EQ(Files(), 0u);
}

TEST_F(NewSegmentsTest, ATableThatIsDroppedInItsTransactionLeavesNothing) {
  Run("BEGIN");
  EXPECT_EQ(Run(Insert(0, 1000)), "1000");
  Run("DROP TABLE t");
  Run("COMMIT");
  EXPECT_EQ(Files(), 0u);
  EXPECT_EQ(Segments(), "0|0");
  Run("BEGIN");
  Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, s VARCHAR)");
  EXPECT_EQ(Run(Insert(0, 1000)), "1000");
  Run("ALTER TABLE t ADD COLUMN w BIGINT DEFAULT 5");
  EXPECT_EQ(Run("SELECT count(*), sum(w) FROM t"), "1000|5000");
  EXPECT_EQ(Run("INSERT INTO t SELECT i, i, '', i FROM range(1000, 1200) r(i)"), "200");
  EXPECT_EQ(Run("SELECT count(*), sum(w) FROM t"), "1200|224900");
  Run("COMMIT");
  EXPECT_EQ(Run("SELECT count(*), sum(w) FROM t"), "1200|224900");
  EXPECT_EQ(Files(), 2u);
}

// Their overrides come with the commit that drops the table.
TEST_F(NewSegmentsTest, WhatWasWrittenToATableThatIsDroppedGoes) {
  for (const bool is_committed : {true, false}) {
    for (const bool is_made_there : {true, false}) {
      Run("CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, s VARCHAR)");
      if (is_committed) {
        EXPECT_EQ(Run(Insert(0, 1000)), "1000");
      }
      Run("BEGIN");
      if (is_made_there) Run("CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY, v BIGINT, s VARCHAR)");
      if (is_made_there || !is_committed) {
        EXPECT_EQ(Run(Insert(0, 1000)), "1000");
      }
      EXPECT_EQ(Run("DELETE FROM t WHERE id = 7"), "1");
      EXPECT_EQ(Run("UPDATE t SET v = 1 WHERE id < 100"), "99");
      EXPECT_EQ(Run("INSERT INTO t VALUES (7, 7, 'hot')"), "1");
      Run("DROP TABLE t");
      EXPECT_EQ(Run("COMMIT"), "");
      EXPECT_EQ(database_->Check().ValueOrDie().problems, std::vector<std::string>());
    }
  }
}

// A move that waits for a statement's segments is none that failed.
TEST_F(NewSegmentsTest, ConcurrentFlushesAndMergesGoOn) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      const auto connection = Connect();
      for (int i = 0; !stop; ++i) {
        const int from = (i * 2 + w) * 1000;
        EXPECT_EQ(Run(*connection, Insert(from, from + 150)), "150");
        EXPECT_EQ(Run(*connection, "INSERT INTO t VALUES (" + std::to_string(from + 500) + ", 1, 'hot')"), "1");
      }
    });
  }
  for (int i = 0; i < 25; ++i) {
    EXPECT_EQ(Run("CALL yarrow_flush('t')").find("error"), std::string::npos);
    EXPECT_EQ(Run("CALL yarrow_compact('t')").find("error"), std::string::npos);
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.jobs WHERE state = 'failed'"), "0");
  EXPECT_EQ(Run("SELECT count(*) % 151 FROM t"), "0");
  EXPECT_TRUE(database_->Check().ValueOrDie().problems.empty());
}

TEST_F(NewSegmentsTest, WhoWroteTheSameKeyFirstWins) {
  const auto other = Connect();
  const auto run = [&](const std::string& sql) { return Run(*other, sql); };
  Run("BEGIN");
  EXPECT_EQ(Run(Insert(0, 1000)), "1000");
  ASSERT_EQ(run("INSERT INTO t VALUES (500, 0, 'theirs'), (2000, 0, 'theirs')"), "2");
  const std::string lost = Run("COMMIT");
  EXPECT_NE(lost.find("(500)"), std::string::npos) << lost;
  EXPECT_EQ(Files(), 0u);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "2");
  // The other way round.
  run("BEGIN");
  ASSERT_EQ(run("INSERT INTO t VALUES (700, 0, 'theirs')"), "1");
  EXPECT_EQ(Run(Insert(600, 1000)), "400");
  EXPECT_NE(run("COMMIT").find("(700)"), std::string::npos);
  EXPECT_EQ(Run("SELECT count(*), max(v) FROM t WHERE id = 700"), "1|1400");
  // A snapshot from before sees nothing of it, and what it writes beside is no conflict.
  run("BEGIN");
  ASSERT_EQ(run("INSERT INTO t VALUES (3000, 0, 'theirs')"), "1");
  EXPECT_EQ(Run(Insert(5000, 6000)), "1000");
  EXPECT_EQ(run("SELECT count(*) FROM t WHERE id >= 3000"), "1");
  EXPECT_EQ(run("COMMIT"), "");
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE id >= 3000"), "1001");
}

}  // namespace
}  // namespace yarrow::sql
