// FOREIGN KEYs against what they mean: random statements on tables that have them and on twins that have none. A
// statement that leaves a row of the twins without the row that it refers to must be refused, any other must not.
#include <gtest/gtest.h>

#include <random>

#include "random_seed.h"
#include "sql_fixture.h"

namespace yarrow::sql {
namespace {

constexpr const char* kOrphans =
    "SELECT (SELECT count(*) FROM tc WHERE p IS NOT NULL AND p NOT IN (SELECT id FROM tp)) + "
    "(SELECT count(*) FROM tc WHERE u IS NOT NULL AND u NOT IN (SELECT u FROM tp WHERE u IS NOT NULL)) + "
    "(SELECT count(*) FROM tc WHERE a IS NOT NULL AND b IS NOT NULL AND "
    " NOT EXISTS (FROM tp WHERE tp.a = tc.a AND tp.b = tc.b)) + "
    "(SELECT count(*) FROM ts WHERE boss IS NOT NULL AND boss NOT IN (SELECT id FROM ts))";

class ForeignKeyPropertyTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    twins_ = Connect();
    const std::string p = "p (id INT PRIMARY KEY, u VARCHAR UNIQUE, a INT, b INT, UNIQUE (a, b))";
    EXPECT_EQ(Run("CREATE TABLE " + p), "");
    EXPECT_EQ(Run("CREATE TABLE c (id INT PRIMARY KEY, p INT REFERENCES p, u VARCHAR REFERENCES p (u), a INT, b INT, "
                  "FOREIGN KEY (a, b) REFERENCES p (a, b))"),
              "");
    EXPECT_EQ(Run("CREATE TABLE s (id INT PRIMARY KEY, boss INT REFERENCES s (id))"), "");
    EXPECT_EQ(Run("CREATE TABLE t" + p), "");
    EXPECT_EQ(Run("CREATE TABLE tc (id INT PRIMARY KEY, p INT, u VARCHAR, a INT, b INT)"), "");
    EXPECT_EQ(Run("CREATE TABLE ts (id INT PRIMARY KEY, boss INT)"), "");
  }

  size_t Below(size_t n) { return random_() % n; }
  std::string Number() { return std::to_string(Below(12)); }
  std::string OrNull(std::string text) { return Below(3) == 0 ? "NULL" : text; }
  std::string Text() { return "'" + Number() + "'"; }
  std::string Pair() { return OrNull(std::to_string(Below(3))) + ", " + OrNull(std::to_string(Below(3))); }
  std::string Rows(const std::function<std::string()>& row) {
    std::string rows = row();
    for (size_t more = Below(3); more > 0; --more) rows += ", " + row();
    return rows;
  }
  std::string Where() {
    switch (Below(4)) {
      case 0:
        return "";
      case 1:
        return " WHERE id < " + Number();
      default:
        return " WHERE id = " + Number();
    }
  }

  // @ stands before the name of a table.
  std::string Statement() {
    const auto parent = [&] { return "(" + Number() + ", " + OrNull(Text()) + ", " + Pair() + ")"; };
    const auto child = [&] {
      return "(" + Number() + ", " + OrNull(Number()) + ", " + OrNull(Text()) + ", " + Pair() + ")";
    };
    switch (Below(18)) {
      case 0:
      case 1:
        return "INSERT INTO @p VALUES " + Rows(parent);
      case 2:
        return "INSERT INTO @p VALUES " + parent() + " ON CONFLICT (id) DO UPDATE SET u = excluded.u";
      case 3:
        return "INSERT INTO @p SELECT range, range::VARCHAR, NULL, range FROM range(12) ON CONFLICT (id) DO NOTHING";
      case 4:
      case 5:
        return "INSERT INTO @c VALUES " + Rows(child);
      case 6:
        return "INSERT OR REPLACE INTO @c VALUES " + child();
      case 7:
        return "INSERT INTO @c SELECT 1000 + range, range % " + Number() + " + 1, NULL, NULL, range FROM range(3000)";
      case 8:
        return "UPDATE @c SET p = " + OrNull(Number()) + Where();
      case 9:
        return "UPDATE @c SET a = b, b = a" + Where();
      case 10:
        return "UPDATE @p SET u = " + OrNull(Text()) + Where();
      case 11:
        return Below(2) == 0 ? "UPDATE @p SET id = id + 1" + Where() : "UPDATE @p SET id = 11 - id";
      case 12:
        return "UPDATE @p SET a = b, b = a, u = u" + Where();
      case 13:
        return "DELETE FROM @p" + Where();
      case 14:
        return "DELETE FROM @c" + Where();
      case 15:
        return "INSERT INTO @s VALUES " + Rows([&] { return "(" + Number() + ", " + OrNull(Number()) + ")"; });
      case 16:
        return "UPDATE @s SET boss = " + OrNull(Number()) + Where();
      default:
        return "DELETE FROM @s" + Where();
    }
  }

  static std::string On(std::string statement, const std::string& prefix) {
    for (size_t at = statement.find('@'); at != std::string::npos; at = statement.find('@')) {
      statement.replace(at, 1, prefix);
    }
    return statement;
  }
  static bool IsError(const std::string& result) { return result.starts_with("error"); }

  // In open transactions of both. False when the statement was refused.
  bool Step() {
    const std::string statement = Statement();
    SCOPED_TRACE(statement);
    const std::string twin = Run(*twins_, On(statement, "t"));
    const std::string result = Run(On(statement, ""));
    if (IsError(twin)) {
      EXPECT_TRUE(IsError(result)) << twin;
      return false;
    }
    const std::string orphans = Run(*twins_, kOrphans);
    if (orphans != "0") {
      EXPECT_NE(result.find("Violates foreign key constraint"), std::string::npos) << orphans << " orphans: " << result;
      ++refused_;
      return false;
    }
    EXPECT_EQ(result, twin);
    return true;
  }
  void Work() {
    EXPECT_EQ(Run("BEGIN"), "");
    EXPECT_EQ(Run(*twins_, "BEGIN"), "");
    bool goes_on = true;
    for (size_t left = 1 + Below(3); goes_on && left > 0; --left) goes_on = Step();
    const std::string end = goes_on && Below(5) > 0 ? "COMMIT" : "ROLLBACK";
    EXPECT_EQ(Run(end), "");
    EXPECT_EQ(Run(*twins_, end), "");
  }
  void ExpectEqual() {
    for (const char* table : {"p", "c", "s"}) {
      const std::string rows = std::string("SELECT * FROM @") + table + " ORDER BY id";
      EXPECT_EQ(Run(On(rows, "")), Run(On(rows, "t")));
    }
  }

  std::unique_ptr<duckdb::Connection> twins_;
  std::mt19937_64 random_;
  int refused_ = 0;
};

TEST_F(ForeignKeyPropertyTest, StatementsAreRefusedThatLeaveOrphans) {
  const uint64_t seed = test::RandomSeed();
  YARROW_TRACE_SEED(seed);
  random_.seed(seed);
  const int rounds = 30 * test::Rounds(1);
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    for (int i = 0; i < 20 && !HasFailure(); ++i) Work();
    ExpectEqual();
    for (const char* table : {"p", "c", "s"}) {
      if (Below(3) > 0) continue;
      EXPECT_FALSE(IsError(Run("CALL yarrow_flush('main." + std::string(table) + "')")));
    }
  }
  EXPECT_GT(refused_, 0);
  ASSERT_OK_AND_ASSIGN(const CheckReport report, database_->Check());
  EXPECT_EQ(report.problems.size(), 0u);
}

}  // namespace
}  // namespace yarrow::sql
