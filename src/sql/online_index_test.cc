// CREATE INDEX beside writers, as SQL sees it.
#include "flush/online_index.h"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "database/open_database.h"
#include "sql_fixture.h"
#include "yarrow/jobs.h"

namespace yarrow::sql {
namespace {

class OnlineIndexSqlTest : public test::SqlFixture {
 protected:
  void SetUp() override {
    SqlFixture::SetUp();
    EXPECT_EQ(Run("CREATE TABLE t (id INT PRIMARY KEY, u INT, note VARCHAR)"), "");
    EXPECT_EQ(Run("INSERT INTO t SELECT range, range, 'n' || range % 10 FROM range(100000)"), "100000");
  }
  // Calls `meanwhile` once, when the first rows have their entries.
  arrow::Status Build(const IndexSpec& spec, const std::function<void()>& meanwhile) {
    const auto& database = ImplOf(*database_);
    bool called = false;
    const auto tell = [&](int64_t rows) {
      if (rows == 100'000 && !std::exchange(called, true)) meanwhile();
      return arrow::Status::OK();
    };
    return CreateIndexOnline(database, database->catalog().Find({"main", "t"}).ValueOrDie(), spec, tell,
                             /*rows_at_once=*/20'000);
  }
  bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
};

TEST_F(OnlineIndexSqlTest, NothingUsesOneThatIsBeingBuilt) {
  const std::string upsert = "INSERT INTO t VALUES (-1, 90000, 'other') ON CONFLICT (u) DO UPDATE SET note = 'mine'";
  const auto prepared = connection_->Prepare("SELECT id FROM t WHERE u = ?");
  const auto find = [&] {
    duckdb::vector<duckdb::Value> values = {duckdb::Value::INTEGER(90000)};
    return prepared->Execute(values, /*allow_stream_result=*/false)->Cast<duckdb::MaterializedQueryResult>().ToString();
  };
  ASSERT_OK(Build({.name = "one_u", .columns = {"u"}, .unique = true}, [&] {
    EXPECT_EQ(Run("SELECT count(*) FROM duckdb_indexes()"), "0");
    EXPECT_EQ(Run("SELECT is_building FROM y.system.indexes WHERE index_name = 'one_u'"), "true");
    EXPECT_FALSE(Has(Run("EXPLAIN SELECT * FROM t WHERE u = 90000"), "one_u"));
    EXPECT_EQ(Run("SELECT id FROM t WHERE u = 90000"), "90000");
    EXPECT_TRUE(Has(find(), "90000"));
    EXPECT_TRUE(Has(Run(upsert), "conflict target"));
    EXPECT_TRUE(Has(Run("CREATE INDEX one_u ON t (note)"), "already exists"));
  }));
  EXPECT_EQ(Run("SELECT index_name FROM duckdb_indexes()"), "one_u");
  EXPECT_TRUE(Has(Run("EXPLAIN SELECT * FROM t WHERE u = 90000"), "one_u"));
  EXPECT_TRUE(Has(find(), "90000"));
  EXPECT_EQ(Run(upsert), "1");
  EXPECT_EQ(Run("SELECT id, note FROM t WHERE u = 90000"), "90000|mine");
}

TEST_F(OnlineIndexSqlTest, ARewriteOfTheTableEndsTheBuild) {
  const arrow::Status built =
      Build({.name = "by_u", .columns = {"u"}}, [&] { EXPECT_EQ(Run("ALTER TABLE t ALTER note TYPE BLOB"), ""); });
  EXPECT_ERROR_HAS(built, "Table main.t was dropped meanwhile");
  EXPECT_EQ(Run("SELECT count(*) FROM y.system.indexes"), "0");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), "100000");
}

// Entries of a build are computed for many rows together, those that Check compares them with for one.
TEST_F(OnlineIndexSqlTest, ExpressionsOfManyRowsAreAsThoseOfEach) {
  const std::string made =
      Run("CREATE TABLE v (id INT PRIMARY KEY, s VARCHAR, d DECIMAL(20, 3), l INT[], p STRUCT(a INT, b VARCHAR), b "
          "BOOLEAN, "
          "t TIMESTAMP, u UUID, e ENUM('x', 'y'), h HUGEINT)");
  ASSERT_EQ(made, "");
  const std::string rows =
      "SELECT i, CASE WHEN i % 7 > 0 THEN 'Text of row ' || i END, i / 3, CASE WHEN i % 5 > 0 THEN [i, i % 11] END, "
      "{'a': i % 13, 'b': 'B' || i}, i % 3 = 0, TIMESTAMP '2024-01-01' + to_hours(i), uuid(), "
      "CASE WHEN i % 2 = 0 THEN 'x' ELSE 'y' END, CASE WHEN i % 9 > 0 THEN i END ";
  const std::vector<std::string> keys = {"lower(s)",     "(d * 2), id",     "(l[1]), len(l)",
                                         "(p.b || s)",   "(NOT b)",         "year(t), (e::VARCHAR)",
                                         "(u::VARCHAR)", "coalesce(h, -1)", "(-h)"};
  // One is there before rows come in one statement; the others are built over rows of both tiers.
  EXPECT_EQ(Run("CREATE UNIQUE INDEX first ON v (upper(s), (l[1]))"), "");
  EXPECT_EQ(Run("INSERT INTO v " + rows + "FROM range(6000) r(i)"), "6000");
  Run("CALL yarrow_flush('v')");
  EXPECT_EQ(Run("INSERT INTO v " + rows + "FROM range(6000, 9000) r(i)"), "3000");
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(Run("CREATE INDEX made_" + std::to_string(i) + " ON v (" + keys[i] + ")"), "") << keys[i];
  }
  EXPECT_EQ(Run("UPDATE v SET s = s || '!' WHERE id % 2 = 0"), "4500");
  ASSERT_OK_AND_ASSIGN(const CheckReport report, database_->Check());
  for (const std::string& problem : report.problems) ADD_FAILURE() << problem;
  EXPECT_TRUE(Has(Run("CREATE INDEX bad ON v ((s::INT))"), "Could not convert string 'Text of row"));
  EXPECT_EQ(Run("SELECT id FROM v WHERE lower(s) = 'text of row 8999'"), "8999");
}

// The statement itself works beside writers: one comes in when its job begins.
TEST_F(OnlineIndexSqlTest, TheStatementLetsWritersIn) {
  struct Writer : JobListener {
    std::function<void()> write;
    void OnJob(const JobInfo& job) noexcept override {
      if (job.kind == "index build" && job.state == JobState::kRunning && write) std::exchange(write, nullptr)();
    }
  };
  const auto writer = std::make_shared<Writer>();
  const auto other = Connect();
  std::string written;
  writer->write = [&] { written = Run(*other, "UPDATE t SET u = -u WHERE id < 3; DELETE FROM t WHERE id = 99999"); };
  database_->AddJobListener(writer);
  EXPECT_EQ(Run("CREATE INDEX by_u ON t (u)"), "");
  database_->RemoveJobListener(writer.get());
  EXPECT_EQ(written, "1");
  EXPECT_TRUE(Has(Run("EXPLAIN SELECT * FROM t WHERE u < 0"), "by_u"));
  EXPECT_EQ(Run("SELECT id FROM t WHERE u < 0 ORDER BY id"), "1\n2");
  EXPECT_EQ(Run("SELECT count(*) FROM t WHERE u = 99999"), "0");
  ASSERT_OK_AND_ASSIGN(const CheckReport report, database_->Check());
  EXPECT_EQ(report.problems.size(), 0u);
}

}  // namespace
}  // namespace yarrow::sql
