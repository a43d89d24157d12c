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
