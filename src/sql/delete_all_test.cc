// DELETE without WHERE and TRUNCATE: segments go as a whole, by the rules of any transaction.
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "cold/segment_key.h"
#include "database/open_database.h"
#include "key/key_range.h"
#include "key/record_key.h"
#include "random_seed.h"
#include "sql_fixture.h"
#include "store/system_partition.h"
#include "write/transaction_impl.h"

namespace yarrow::sql {
namespace {

class DeleteAllTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    ASSERT_OK(database_->SetSetting("background_jobs", "0"));
    ASSERT_OK(database_->SetSetting("deleted_file_retention", "0"));
    EXPECT_EQ(Run("CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT)"), "");
  }
  // Rows 0 to 9 in one segment, 10 to 19 in another, 20 to 29 hot; 5 is overridden by a hot one, 15 deleted.
  void MakeRows() {
    for (int from : {0, 10, 20}) {
      Run("INSERT INTO t SELECT i, i FROM range(" + std::to_string(from) + ", " + std::to_string(from + 10) + ") r(i)");
      if (from < 20) Run("CALL yarrow_flush('t')");
    }
    EXPECT_EQ(Run("UPDATE t SET v = 500 WHERE id = 5"), "1");
    EXPECT_EQ(Run("DELETE FROM t WHERE id = 15"), "1");
  }
  std::string Segments() { return Run("SELECT count(*) FROM y.system.segments"); }
  size_t Overrides() {
    const KeyRange all = PrefixRange(RecordPrefix(RecordKind::kOverride));
    ScanCursor cursor = database_->store()->Scan(
        {.partition = *OpenSystemPartition(*database_->store(), "rows"), .lower = all.lower, .upper = all.upper});
    size_t overrides = 0;
    while (cursor.Next()) ++overrides;
    return overrides;
  }
  static bool IsConflict(const std::string& answer) {
    return answer.find("TransactionContext Error") != std::string::npos;
  }
  void CheckDatabase() {
    const auto report = database_->Check();
    ASSERT_OK(report.status());
    EXPECT_TRUE(report->problems.empty()) << report->problems.front();
  }
};

TEST_F(DeleteAllTest, RowsOfBothTiersGoAndAreCounted) {
  for (const char* statement : {"DELETE FROM t", "TRUNCATE t", "DELETE FROM t WHERE true"}) {
    MakeRows();
    EXPECT_EQ(Segments(), "2");
    EXPECT_EQ(Run(statement), "29") << statement;
    EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(Segments(), "0");
    EXPECT_EQ(Run(statement), "0");
    CheckDatabase();
  }
  EXPECT_EQ(Run("SELECT count(*) FROM glob('" + dir_.File("db/cold").string() + "/**/*.parquet')"), "0");
}

// They are no part of the commit. Who sees the rows still needs them, and a crash may leave them.
TEST_F(DeleteAllTest, OverridesOfTheSegmentsGoAfterwards) {
  ASSERT_OK(database_->SetSetting("deleted_file_retention", "3600"));
  MakeRows();
  EXPECT_EQ(Overrides(), 2u);
  const auto older = Connect();
  Run(*older, "BEGIN");
  const std::string rows = Run(*older, "SELECT * FROM t ORDER BY id");
  EXPECT_EQ(Run("TRUNCATE t"), "29");
  EXPECT_EQ(Overrides(), 0u);
  EXPECT_EQ(Run(*older, "SELECT * FROM t ORDER BY id"), rows);
  EXPECT_EQ(Run(*older, "SELECT v FROM t WHERE id IN (5, 15)"), "500");
  Run(*older, "COMMIT");

  const auto& store = database_->store();
  const Partition partition = *OpenSystemPartition(*store, "rows");
  const auto files = ImplOf(*database_)->cold_tier()->deleted.List();
  ASSERT_EQ(files.size(), 2u);
  for (const DeletedFile& file : files) {
    ASSERT_OK(store->Put(partition, cold::EncodeOverrideKey({file.key.table_id, file.key.segment_id, 3}), ""));
  }
  CheckDatabase();
  ASSERT_OK(database_->SetSetting("deleted_file_retention", "0"));
  Run("VACUUM");
  EXPECT_EQ(Overrides(), 0u);
  CheckDatabase();
}

TEST_F(DeleteAllTest, ItReadsNoSegment) {
  MakeRows();
  const std::string plan = Run("EXPLAIN ANALYZE DELETE FROM t");
  EXPECT_NE(plan.find("Segments read: 0 of 2"), std::string::npos) << plan;
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

TEST_F(DeleteAllTest, WithReturningOrAConditionRowsAreRead) {
  MakeRows();
  EXPECT_EQ(Run("DELETE FROM t WHERE id >= 0 AND v <> 7"), "28");
  EXPECT_EQ(Run("DELETE FROM t RETURNING id"), "7");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
}

TEST_F(DeleteAllTest, WithoutTheOptimizerItIsTheSame) {
  MakeRows();
  Run("PRAGMA disable_optimizer");
  EXPECT_EQ(Run("DELETE FROM t"), "29");
  Run("PRAGMA enable_optimizer");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
  CheckDatabase();
}

TEST_F(DeleteAllTest, APreparedStatementRunsAgain) {
  EXPECT_EQ(Run("PREPARE clear AS DELETE FROM t"), "");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Run("EXECUTE clear"), i == 0 ? "0" : "29");
    MakeRows();
  }
}

// The statements of the transaction see the table empty, and put rows into it.
TEST_F(DeleteAllTest, InATransaction) {
  MakeRows();
  const auto other = Connect();
  for (const char* end : {"ROLLBACK", "COMMIT"}) {
    Run("BEGIN");
    EXPECT_EQ(Run("UPDATE t SET v = v + 1000 WHERE id IN (1, 11, 21)"), "3");
    EXPECT_EQ(Run("DELETE FROM t WHERE id IN (2, 12, 22)"), "3");
    EXPECT_EQ(Run("DELETE FROM t"), "26");
    EXPECT_EQ(Run("SELECT count(*), max(id) FROM t"), "0|NULL");
    EXPECT_EQ(Run("SELECT * FROM t WHERE id = 3"), "");
    EXPECT_EQ(Run("UPDATE t SET v = 1"), "0");
    EXPECT_EQ(Run("DELETE FROM t"), "0");
    EXPECT_EQ(Run("INSERT INTO t VALUES (3, 33), (5, 55), (100, 1)"), "3");
    EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), "3|33\n5|55\n100|1");
    EXPECT_EQ(Run(*other, "SELECT count(*), sum(v) FROM t"), "29|915");
    EXPECT_EQ(Run(end), "");
  }
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), "3|33\n5|55\n100|1");
  EXPECT_EQ(Run(*other, "SELECT * FROM t ORDER BY id DESC"), "100|1\n5|55\n3|33");
  CheckDatabase();
}

// Segments that the transaction has made itself go row by row.
TEST_F(DeleteAllTest, SegmentsOfTheSameTransaction) {
  MakeRows();
  ASSERT_OK(database_->SetSetting("rows_to_segment", "50"));
  for (const char* end : {"ROLLBACK", "COMMIT"}) {
    Run("BEGIN");
    EXPECT_EQ(Run("INSERT INTO t SELECT i, i FROM range(1000, 1100) r(i)"), "100");
    EXPECT_EQ(Run("DELETE FROM t WHERE id = 1050"), "1");
    EXPECT_EQ(Run("DELETE FROM t"), "128");
    EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(Run("INSERT INTO t SELECT i, -i FROM range(0, 100) r(i)"), "100");
    EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t"), "100|-4950");
    EXPECT_EQ(Run(end), "");
  }
  EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t"), "100|-4950");
  CheckDatabase();
}

TEST_F(DeleteAllTest, OlderSnapshotsSeeTheRows) {
  MakeRows();
  const auto other = Connect();
  Run(*other, "BEGIN");
  const std::string before = Run(*other, "SELECT count(*), sum(v) FROM t");
  EXPECT_EQ(Run("TRUNCATE t"), "29");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1, -1)"), "1");
  EXPECT_EQ(Run(*other, "SELECT count(*), sum(v) FROM t"), before);
  EXPECT_EQ(Run(*other, "SELECT v FROM t WHERE id IN (1, 25)"), "1\n25");
  Run(*other, "COMMIT");
  EXPECT_EQ(Run(*other, "SELECT * FROM t"), "1|-1");
  EXPECT_EQ(Run("CHECKPOINT y"), "");
  EXPECT_EQ(Run("SELECT count(*) FROM glob('" + dir_.File("db/cold").string() + "/**/*.parquet')"), "0");
}

TEST_F(DeleteAllTest, OfAUserTheOwnRowsOnly) {
  Run("CREATE TABLE notes (id BIGINT PRIMARY KEY, v BIGINT) WITH (kind = 'user')");
  std::unique_ptr<duckdb::Connection> users[2];
  for (int i = 0; i < 2; ++i) {
    const std::string name = i == 0 ? "ada" : "bob";
    ASSERT_OK(sql::Attach(*duckdb_, database_, name, {.user = name}));
    users[i] = Connect();
    Run(*users[i], "USE " + name);
    EXPECT_EQ(Run(*users[i], "INSERT INTO notes SELECT i, i FROM range(100) r(i)"), "100");
  }
  EXPECT_EQ(Run("SELECT rows FROM yarrow_flush('ada.main.notes', min_user_rows := 0)"), "200");
  EXPECT_EQ(Run(*users[0], "DELETE FROM notes"), "100");
  EXPECT_EQ(Run(*users[0], "SELECT count(*) FROM notes"), "0");
  EXPECT_EQ(Run(*users[1], "SELECT count(*) FROM notes"), "100");
  CheckDatabase();
}

// What happens to rows between the begin of two transactions and the end of the first.
enum class Moves { kNone, kFlush, kMerge, kFlushAndMerge };

class DeleteAllConflictTest : public DeleteAllTest, public testing::WithParamInterface<Moves> {
 protected:
  void MoveRows() {
    const Moves moves = GetParam();
    if (moves == Moves::kFlush || moves == Moves::kFlushAndMerge) Run("CALL yarrow_flush('t')");
    if (moves == Moves::kMerge || moves == Moves::kFlushAndMerge) {
      EXPECT_EQ(Run("CALL yarrow_compact('t', \"full\" := true)").find("error"), std::string::npos);
    }
  }
};

// Whoever writes a row that the other one deletes loses, in either order, wherever the row lies.
TEST_P(DeleteAllConflictTest, TheFirstCommitterWins) {
  const auto clearing = Connect(), writing = Connect();
  for (const bool clear_first : {false, true}) {
    for (const char* statement :
         {"UPDATE t SET v = -1 WHERE id = 3", "DELETE FROM t WHERE id = 13", "UPDATE t SET v = -1 WHERE id = 23",
          "UPDATE t SET v = -1 WHERE id = 5", "DELETE FROM t WHERE id = 25", "UPDATE t SET v = v + 1",
          "INSERT OR REPLACE INTO t VALUES (4, -1)", "DELETE FROM t", "TRUNCATE t"}) {
      SCOPED_TRACE(statement + std::string(clear_first ? " second" : " first"));
      Run("DELETE FROM t");
      MakeRows();
      Run(*clearing, "BEGIN");
      Run(*writing, "BEGIN");
      EXPECT_EQ(Run(*clearing, "DELETE FROM t"), "29");
      EXPECT_NE(Run(*writing, statement), "0");
      MoveRows();
      const std::string before = Run("SELECT * FROM t ORDER BY id");
      duckdb::Connection& first = clear_first ? *clearing : *writing;
      duckdb::Connection& second = clear_first ? *writing : *clearing;
      EXPECT_EQ(Run(first, "COMMIT"), "");
      const std::string between = Run("SELECT * FROM t ORDER BY id");
      EXPECT_NE(between, before);
      MoveRows();
      const std::string answer = Run(second, "COMMIT");
      EXPECT_TRUE(IsConflict(answer)) << answer;
      EXPECT_NE(answer.find("table main.t"), std::string::npos) << answer;
      EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), between);
    }
  }
  CheckDatabase();
}

// Rows that others have added since the snapshot stay, in whatever tier.
TEST_P(DeleteAllConflictTest, NewRowsOfOthersStay) {
  const auto clearing = Connect(), writing = Connect();
  for (const bool clear_first : {false, true}) {
    Run("DELETE FROM t");
    MakeRows();
    Run(*clearing, "BEGIN");
    Run(*writing, "BEGIN");
    EXPECT_EQ(Run(*clearing, "DELETE FROM t"), "29");
    EXPECT_EQ(Run(*writing, "INSERT INTO t VALUES (15, 1), (50, 2)"), "2");
    duckdb::Connection& first = clear_first ? *clearing : *writing;
    duckdb::Connection& second = clear_first ? *writing : *clearing;
    EXPECT_EQ(Run(first, "COMMIT"), "");
    MoveRows();
    EXPECT_EQ(Run(second, "COMMIT"), "");
    EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), "15|1\n50|2");
  }
  CheckDatabase();
}

// What the transaction writes behind the deletion is there afterwards, whatever has moved meanwhile.
TEST_P(DeleteAllConflictTest, RowsThatComeBackStay) {
  const auto clearing = Connect();
  for (const int moved_after : {0, 1, 2}) {
    for (const char* insert :
         {"INSERT INTO t SELECT i, -i FROM range(30) r(i)", "INSERT INTO t VALUES (5, -5), (13, -13)"}) {
      SCOPED_TRACE(std::string(insert) + ", moved after " + std::to_string(moved_after));
      Run("DELETE FROM t");
      MakeRows();
      Run(*clearing, "BEGIN");
      EXPECT_EQ(Run(*clearing, "SELECT count(*) FROM t"), "29");
      if (moved_after == 0) MoveRows();
      EXPECT_EQ(Run(*clearing, "UPDATE t SET v = 9 WHERE id IN (2, 12, 22)"), "3");
      EXPECT_EQ(Run(*clearing, "DELETE FROM t"), "29");
      if (moved_after == 1) MoveRows();
      Run(*clearing, insert);
      EXPECT_EQ(Run(*clearing, "UPDATE t SET v = v - 1 WHERE id = 13"), "1");
      const std::string rows = Run(*clearing, "SELECT * FROM t ORDER BY id");
      if (moved_after == 2) MoveRows();
      EXPECT_EQ(Run(*clearing, "COMMIT"), "");
      EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), rows);
    }
  }
  CheckDatabase();
}

// Two that write and one that clears a table, twice: rows that move, and rows that never do. At every snapshot both
// tables are equal.
TEST_P(DeleteAllConflictTest, ManyAtOnceBesideQueries) {
  Run("DROP TABLE t");
  for (const char* table : {"t", "h"}) Run(std::string("CREATE TABLE ") + table + " (id BIGINT PRIMARY KEY, v BIGINT)");
  std::atomic<bool> stop{false};
  std::atomic<int> clears{0};
  const uint64_t seed = test::RandomSeed();
  const auto work = [&](uint64_t number) {
    std::mt19937_64 random(seed + number);
    const auto connection = Connect();
    while (!stop) {
      Run(*connection, "BEGIN");
      const bool clear = number == 0;
      std::string answers[2];
      const std::string id = std::to_string(random() % 60);
      const char* const kinds[] = {"INSERT OR REPLACE INTO $ SELECT i, random() * 0 + 7 FROM range(@, @ + 20) r(i)",
                                   "DELETE FROM $ WHERE id = @", "UPDATE $ SET v = v + 1 WHERE id BETWEEN @ AND @ + 5"};
      const std::string kind = clear ? "DELETE FROM $" : kinds[random() % 3];
      for (int i = 0; i < 2; ++i) {
        std::string sql = kind;
        for (size_t at = 0; (at = sql.find('@')) != std::string::npos;) sql.replace(at, 1, id);
        sql.replace(sql.find('$'), 1, i == 0 ? "t" : "h");
        answers[i] = Run(*connection, sql);
      }
      const bool lost = IsConflict(answers[0]) || IsConflict(answers[1]);
      EXPECT_TRUE(lost || answers[0] == answers[1]) << kind << ": " << answers[0] << ", " << answers[1];
      const bool done = Run(*connection, lost || random() % 5 == 0 ? "ROLLBACK" : "COMMIT").empty();
      if (clear && done && answers[0] != "0") ++clears;
      if (clear) std::this_thread::sleep_for(std::chrono::milliseconds(random() % 30));
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 3; ++i) threads.emplace_back(work, i);
  for (int i = 0; i < 25 * test::Rounds(1) || clears < 3; ++i) {
    MoveRows();
    Run("BEGIN");
    EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), Run("SELECT * FROM h ORDER BY id"));
    Run("COMMIT");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), Run("SELECT * FROM h ORDER BY id"));
  CheckDatabase();
}

// Many hot rows, which the only statement of a transaction removes by a range.
class DeleteManyHotTest : public DeleteAllConflictTest {
 protected:
  void SetUp() override {
    DeleteAllConflictTest::SetUp();
    ASSERT_OK(database_->SetSetting("rows_to_segment", "0"));
    Run("INSERT INTO t SELECT i, i FROM range(5000) r(i)");
    Run("CALL yarrow_flush('t')");
    EXPECT_EQ(Run("UPDATE t SET v = -v WHERE id < 100"), "100");
    Run("INSERT INTO t SELECT i, i FROM range(5000, 25000) r(i)");
  }
  // A statement by itself, up to its commit.
  std::unique_ptr<TransactionImpl> ClearTable() {
    const auto& database = ImplOf(*database_);
    const auto entry = database->catalog().Find(QualifiedName::Parse("t").ValueOrDie()).ValueOrDie();
    auto transaction = std::make_unique<TransactionImpl>(database, std::string());
    const auto table = TableImpl::Make(database, entry, {}).ValueOrDie();
    transaction->Touch(table);
    EXPECT_EQ(transaction->RemoveAllRows(*table, cancelled_).ValueOrDie(), 25'000u);
    return transaction;
  }
  const std::atomic<bool> cancelled_{false};
};

TEST_P(DeleteManyHotTest, TheyLeaveNoTombstones) {
  const auto older = Connect();
  Run(*older, "BEGIN");
  EXPECT_EQ(Run(*older, "SELECT count(*), sum(v) FROM t"), "25000|312477600");
  EXPECT_EQ(Run("TRUNCATE t"), "25000");
  // The first scan behind it: what a scan finds empty, later ones pass over.
  EXPECT_LT(Figure("Tombstones stepped over", "SELECT count(*) FROM t WHERE v >= 0"), 1000);
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(Run(*older, "SELECT count(*), sum(v) FROM t"), "25000|312477600");
  Run("INSERT INTO t SELECT i, i FROM range(5000) r(i)");
  MoveRows();
  EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t"), "5000|12497500");
  CheckDatabase();
}

TEST_P(DeleteManyHotTest, NobodyElseWrites) {
  auto clearing = ClearTable();
  MoveRows();
  EXPECT_OK(clearing->Commit());
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
  CheckDatabase();
}

TEST_P(DeleteManyHotTest, RowsThatOthersAddStay) {
  EXPECT_EQ(Run("DELETE FROM t WHERE id IN (50, 20000)"), "2");
  EXPECT_EQ(Run("INSERT INTO t VALUES (30000, 1), (30001, 1)"), "2");
  auto clearing = ClearTable();
  Run("INSERT INTO t VALUES (50, 1), (20000, 2), (40000, 3)");
  MoveRows();
  EXPECT_OK(clearing->Commit());
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), "50|1\n20000|2\n40000|3");
  CheckDatabase();
}

TEST_P(DeleteManyHotTest, RowsThatOthersChangeAreAConflict) {
  for (const char* statement : {"UPDATE t SET v = 0 WHERE id = 20000", "DELETE FROM t WHERE id = 50",
                                "DELETE FROM t WHERE id = 3000", "INSERT OR REPLACE INTO t VALUES (24999, 0)"}) {
    SCOPED_TRACE(statement);
    auto clearing = ClearTable();
    EXPECT_EQ(Run(statement), "1");
    MoveRows();
    const std::string before = Run("SELECT count(*), sum(v) FROM t");
    const auto status = clearing->Commit();
    EXPECT_TRUE(yarrow::IsConflict(status)) << status.ToString();
    EXPECT_EQ(Run("SELECT count(*), sum(v) FROM t"), before);
    Run("INSERT OR REPLACE INTO t SELECT i, i FROM range(25000) r(i)");
  }
  CheckDatabase();
}

// Those that began before it and commit afterwards.
TEST_P(DeleteManyHotTest, TransactionsBesideIt) {
  const auto adding = Connect(), changing = Connect(), reading = Connect();
  for (const auto& connection : {adding.get(), changing.get(), reading.get()}) Run(*connection, "BEGIN");
  EXPECT_EQ(Run(*adding, "INSERT INTO t VALUES (30000, 1)"), "1");
  EXPECT_EQ(Run(*changing, "UPDATE t SET v = 0 WHERE id = 20000"), "1");
  EXPECT_EQ(Run(*reading, "SELECT max(id) FROM t"), "24999");
  EXPECT_EQ(Run("DELETE FROM t"), "25000");
  MoveRows();
  EXPECT_EQ(Run(*reading, "SELECT count(*) FROM t"), "25000");
  EXPECT_EQ(Run(*adding, "COMMIT"), "");
  const std::string answer = Run(*changing, "COMMIT");
  EXPECT_TRUE(DeleteAllTest::IsConflict(answer)) << answer;
  EXPECT_EQ(Run("SELECT * FROM t"), "30000|1");
  CheckDatabase();
}

// Both statements may come first, and nothing is left either way.
TEST_P(DeleteManyHotTest, TruncateAtOnceWithOthersBesideQueries) {
  Run("TRUNCATE t");
  const auto clearing = Connect(), other = Connect();
  for (int round = 0; round < 12 * test::Rounds(1); ++round) {
    EXPECT_EQ(Run("INSERT INTO t SELECT i, i FROM range(12000) r(i)"), "12000");
    const char* const statements[] = {"UPDATE t SET v = -1", "TRUNCATE t", "DELETE FROM t WHERE id < 100000",
                                      "UPDATE t SET v = -1 WHERE id = 7"};
    const std::string statement = statements[round % 4];
    std::string cleared, changed;
    std::thread beside([&] { changed = Run(*other, statement); });
    cleared = Run(*clearing, "TRUNCATE t");
    beside.join();
    SCOPED_TRACE(statement + ": " + changed + " beside " + cleared);
    const std::string left = Run("SELECT count(*) FROM t");
    const bool is_update = statement.starts_with("UPDATE");
    if (!IsConflict(cleared)) {
      EXPECT_EQ(left, "0");
      EXPECT_TRUE(is_update || IsConflict(changed) || (cleared == "0") != (changed == "0"));
    }
    Run("TRUNCATE t");
  }
  CheckDatabase();
}

TEST_P(DeleteManyHotTest, SoftDeletedRowsStay) {
  const auto session = database_->OpenSession().ValueOrDie();
  const auto table = session->OpenTable("t").ValueOrDie();
  EXPECT_TRUE(table->SoftDelete({int64_t{20'000}}).ValueOrDie());
  EXPECT_EQ(Run("DELETE FROM t"), "24999");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "0");
  EXPECT_TRUE(table->Purge({int64_t{20'000}}).ValueOrDie());
  CheckDatabase();
}

std::string NameOfMoves(const testing::TestParamInfo<Moves>& moves) {
  const char* const names[] = {"None", "Flush", "Merge", "FlushAndMerge"};
  return names[static_cast<int>(moves.param)];
}
INSTANTIATE_TEST_SUITE_P(Moves, DeleteAllConflictTest,
                         testing::Values(Moves::kNone, Moves::kFlush, Moves::kMerge, Moves::kFlushAndMerge),
                         NameOfMoves);
INSTANTIATE_TEST_SUITE_P(Moves, DeleteManyHotTest, testing::Values(Moves::kNone, Moves::kFlush, Moves::kFlushAndMerge),
                         NameOfMoves);

}  // namespace
}  // namespace yarrow::sql
