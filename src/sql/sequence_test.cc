// Sequences: against DuckDB's own, over transactions, connections and reopening. tests/sql/sequences.test has more.
#include "sql/sequence.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "random_seed.h"
#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

class SequenceTest : public test::SqlFixture {
 protected:
  void Reopen() {
    connection_.reset();
    duckdb_.reset();
    database_.reset();
    SetUp();
  }
};

TEST(SequenceNumbersTest, CountsAndCycles) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kGreatest = std::numeric_limits<int64_t>::max();
  EXPECT_EQ((SequenceNumbers{.start = 2, .increment = 3, .least = 1, .greatest = 9}.Count()), 3);  // 2, 5, 8
  EXPECT_EQ((SequenceNumbers{.start = 5, .increment = -2, .least = 0, .greatest = 9}.Count()), 3);
  EXPECT_EQ((SequenceNumbers{.start = kLeast, .increment = 1, .least = kLeast, .greatest = kGreatest}.Count()),
            kGreatest - 1);
  const SequenceNumbers wide{
      .start = kGreatest - 1, .increment = 1, .least = kLeast, .greatest = kGreatest, .cycles = true};
  EXPECT_EQ(wide.Count(), std::nullopt);
  EXPECT_EQ(wide.At(2), kGreatest);
  EXPECT_EQ(wide.At(3), kLeast);
  const SequenceNumbers down{.start = 1, .increment = -3, .least = -7, .greatest = 2, .cycles = true};
  EXPECT_EQ(down.At(4), 2);
  EXPECT_EQ(down.At(8), 2);
}

// Of any parameters, the same numbers, errors, lists and SQL as of a sequence of DuckDB's.
TEST_F(SequenceTest, TheyGiveWhatThoseOfDuckDbGive) {
  YARROW_TRACE_SEED(test::RandomSeed());
  std::mt19937_64 random(test::RandomSeed());
  const auto pick = [&](int64_t from, int64_t to) { return std::uniform_int_distribution<int64_t>(from, to)(random); };
  for (int round = 0; round < 60; ++round) {
    const int64_t least = pick(-20, 5), greatest = least + pick(1, 30), start = pick(least, greatest);
    int64_t increment = pick(-7, 7);
    if (increment == 0) increment = 1;
    const std::string definition = " INCREMENT BY " + std::to_string(increment) + " MINVALUE " + std::to_string(least) +
                                   " MAXVALUE " + std::to_string(greatest) + " START " + std::to_string(start) +
                                   (pick(0, 1) == 0 ? " CYCLE" : "");
    std::vector<std::string> outcomes;
    const std::vector<int64_t> counts = {pick(1, 5), pick(1, 9), pick(1, 40)};
    for (const std::string database : {"memory", "y"}) {
      std::string outcome = Run("CREATE OR REPLACE SEQUENCE " + database + ".main.s" + definition);
      const std::string name = "'" + database + ".main.s'";
      for (const int64_t count : counts) {
        outcome += "\n" + Run("SELECT nextval(" + name + ") FROM range(" + std::to_string(count) + ")");
        outcome += "\n" + Run("SELECT currval(" + name + ")");
        // What DuckDB has taken of one that ends is as many as ours; how often it failed since is of no interest.
        if (outcome.find("error:") != std::string::npos) break;
        outcome += "\n" + Run("SELECT start_value, min_value, max_value, increment_by, cycle, last_value, sql FROM "
                              "duckdb_sequences() WHERE database_name = '" +
                              database + "'");
      }
      outcomes.push_back(outcome);
    }
    EXPECT_EQ(outcomes[0], outcomes[1]) << definition;
  }
}

TEST_F(SequenceTest, TheyGoOnAfterReopening) {
  Run("CREATE SEQUENCE s START 10; CREATE TABLE t (id INT PRIMARY KEY DEFAULT nextval('s'), v INT)");
  Run("INSERT INTO t (v) SELECT i FROM range(3) r(i)");
  Reopen();
  EXPECT_EQ(Run("SELECT currval('s'), nextval('s')"), "12|13");
  EXPECT_EQ(Run("INSERT INTO t (v) VALUES (9) RETURNING id"), "14");
  Run("INSERT INTO t (v) SELECT i FROM range(100000) r(i)");
  Reopen();
  EXPECT_EQ(Run("SELECT nextval('s'), max(id), count(DISTINCT id) FROM t"), "100015|100014|100004");
  // One that is made again begins again, whatever is left of the first.
  Run("DROP SEQUENCE s CASCADE; CREATE SEQUENCE s");
  EXPECT_EQ(Run("SELECT nextval('s')"), "1");
  Run("COMMENT ON SEQUENCE s IS 'kept'");
  Reopen();
  EXPECT_EQ(Run("SELECT nextval('s'), comment FROM duckdb_sequences() WHERE database_name = 'y'"), "2|kept");
}

TEST_F(SequenceTest, TransactionsSeeThemAsOtherEntries) {
  const auto other = Connect();
  Run("BEGIN");
  Run(*other, "BEGIN");
  Run("CREATE SEQUENCE s");
  EXPECT_EQ(Run("SELECT nextval('s')"), "1");
  EXPECT_NE(Run(*other, "SELECT nextval('s')").find("does not exist"), std::string::npos);
  Run("COMMIT");
  EXPECT_NE(Run(*other, "SELECT nextval('s')").find("does not exist"), std::string::npos);
  Run(*other, "COMMIT");
  EXPECT_EQ(Run(*other, "SELECT nextval('s')"), "2");
  Run("BEGIN");
  Run("DROP SEQUENCE s");
  EXPECT_NE(Run("SELECT nextval('s')").find("does not exist"), std::string::npos);
  EXPECT_EQ(Run(*other, "SELECT nextval('s')"), "3");
  Run("ROLLBACK");
  EXPECT_EQ(Run("SELECT nextval('s')"), "4");
  Run("BEGIN; CREATE SEQUENCE gone; ROLLBACK");
  EXPECT_NE(Run("SELECT nextval('gone')").find("does not exist"), std::string::npos);
}

TEST_F(SequenceTest, PreparedStatementsNoticeThatASequenceIsAnother) {
  Run("CREATE SEQUENCE s");
  const auto next = connection_->Prepare("SELECT nextval('s')"), current = connection_->Prepare("SELECT currval('s')");
  const auto run = [](const auto& statement) {
    const auto result = statement->Execute();
    return result->HasError() ? result->GetError() : result->Fetch()->GetValue(0, 0).ToString();
  };
  EXPECT_EQ(run(next), "1");
  EXPECT_EQ(run(next), "2");
  EXPECT_EQ(run(current), "2");
  const auto other = Connect();
  Run(*other, "CREATE OR REPLACE SEQUENCE s START 70");
  EXPECT_NE(run(current).find("not yet defined"), std::string::npos);
  EXPECT_EQ(run(next), "70");
  Run(*other, "DROP SEQUENCE s");
  EXPECT_NE(run(next).find("does not exist"), std::string::npos);
  EXPECT_NE(run(current).find("does not exist"), std::string::npos);
}

TEST_F(SequenceTest, OfSeveralDatabasesEachGivesItsOwn) {
  ASSERT_EQ(Run("ATTACH '" + dir_.File("other").string() + "' AS o (TYPE yarrow); CREATE SEQUENCE o.main.s START 500"),
            "");
  Run("CREATE SEQUENCE s; CREATE SEQUENCE memory.main.s START 900; CREATE TEMP SEQUENCE x START 30");
  EXPECT_EQ(Run("SELECT nextval('s')"), "1");
  EXPECT_EQ(Run("SELECT nextval('o.main.s')"), "500");
  EXPECT_EQ(Run("SELECT nextval('memory.main.s')"), "900");
  EXPECT_EQ(Run("SELECT nextval('x'), nextval('x')"), "30|31");
  EXPECT_NE(Run("BEGIN; SELECT nextval('s'); SELECT nextval('o.main.s')").find("single attached database"),
            std::string::npos);
  Run("ROLLBACK");
  Run("PRAGMA verify_serializer");  // plans are copied by their bytes
  EXPECT_EQ(Run("SELECT nextval('o.main.s') > 500"), "true");
  EXPECT_EQ(Run("SELECT nextval('memory.main.s') > 900"), "true");
}

TEST_F(SequenceTest, GoesWithTheTableThatOwnsItWhenAProgramDropsThat) {
  Run("CREATE SEQUENCE owned; CREATE SEQUENCE free; CREATE TABLE t (id INT)");
  EXPECT_EQ(Run("ALTER SEQUENCE owned OWNED BY t"), "");
  ASSERT_OK(database_->DropTable("main.t"));
  EXPECT_EQ(Run("SELECT sequence_name FROM duckdb_sequences()"), "free");
  // One that another table may use stays.
  Run("CREATE TABLE t (id INT); CREATE TABLE u (id INT DEFAULT nextval('free'), n INT); ALTER SEQUENCE free OWNED BY "
      "t");
  ASSERT_OK(database_->DropTable("main.t"));
  EXPECT_EQ(Run("INSERT INTO u (n) VALUES (1); FROM u"), "1|1");
}

TEST_F(SequenceTest, ReadersOfAReadOnlyDatabaseTakeNone) {
  Run("CREATE SEQUENCE s; SELECT nextval('s')");
  connection_.reset();
  duckdb_.reset();
  database_.reset();
  duckdb_ = OpenDuckDb();
  ASSERT_OK(Register(*duckdb_));
  duckdb::Connection connection(*duckdb_);
  ASSERT_EQ(Run(connection, "ATTACH '" + dir_.File("db").string() + "' AS y (TYPE yarrow, READ_ONLY); USE y"), "");
  EXPECT_NE(Run(connection, "SELECT nextval('s')").find("read-only"), std::string::npos);
  EXPECT_EQ(Run(connection, "SELECT currval('s')"), "1");
}

TEST_F(SequenceTest, NoNumberComesTwiceBesideQueries) {
  Run("CREATE SEQUENCE s; CREATE TABLE t (id BIGINT PRIMARY KEY DEFAULT nextval('s'), w INT)");
  std::vector<std::thread> writers;
  std::vector<std::string> errors(3);
  for (int w = 0; w < 3; ++w) {
    writers.emplace_back([&, w] {
      const auto connection = Connect();
      for (int i = 0; i < 30 && errors[static_cast<size_t>(w)].empty(); ++i) {
        const std::string result = Run(*connection, "INSERT INTO t (w) SELECT " + std::to_string(w) + " FROM range(" +
                                                        std::to_string(1 + i * 7) + ")");
        if (result.starts_with("error")) errors[static_cast<size_t>(w)] = result;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (const std::string& error : errors) EXPECT_EQ(error, "");
  EXPECT_EQ(Run("SELECT count(*) = 3 * (30 + 7 * 435), count(*) = count(DISTINCT id), max(id) = count(*) FROM t"),
            "true|true|true");
}

}  // namespace
}  // namespace yarrow::sql
